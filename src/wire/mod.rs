//! ICMP and ICMPv6 as bytes: echo packets, the errors that quote them, the token that proves an
//! answer ours, and the map from sequence numbers back to probes. Pure: no socket, no clock, no
//! system call; whoever uses it passes the keys in. Used on the reactor's thread only.

mod error;
mod packet;
mod sequence;
mod token;

pub use error::error_outcome;
pub use packet::{
    decode_echo_reply, decode_quoted_request, decode_raw_v4, decode_raw_v6, encode_request, Echo,
    Message, Quote, RawV4, HEADER_LENGTH,
};
pub use sequence::{Found, SequenceMap};
pub use token::{Token, TokenKey, TOKEN_LENGTH};
