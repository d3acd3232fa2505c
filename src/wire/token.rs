//! The token in an echo request's payload: who sent it and a proof of that, by SipHash-2-4
//! (<https://www.aumasson.jp/siphash/>). It names its probe, so that a reply is known for ours from
//! whatever address it comes. The identifier is left out, because datagram sockets get theirs from
//! the system.
//!
//! | bytes | what |
//! |-------|------|
//! | 0..6  | the low 48 bits of the hash of the rest and of the sequence |
//! | 6..8  | the transmission, little-endian |
//! | 8..16 | the probe's number, little-endian |

/// Bytes of a token; a payload shorter than that carries as much of it as fits.
pub const TOKEN_LENGTH: usize = 16;

/// What a request carries first in its payload, and what an answer must bring back.
pub type Token = [u8; TOKEN_LENGTH];

/// Bytes of proof.
const PROOF_LENGTH: usize = 6;

/// The secret that tokens are made with; random, one per process.
#[derive(Clone)]
pub struct TokenKey {
    k0: u64,
    k1: u64,
}

impl TokenKey {
    /// A key from 16 random bytes.
    pub fn new(random: [u8; 16]) -> TokenKey {
        let number = u128::from_le_bytes(random);
        TokenKey { k0: number as u64, k1: (number >> 64) as u64 }
    }

    /// The token of one transmission of a probe.
    pub fn token(&self, probe: u64, sequence: u16, transmission: u16) -> Token {
        // As a message: 8 bytes of probe, 2 each of sequence and transmission.
        let last = u64::from(sequence) | u64::from(transmission) << 16 | 12 << 56;
        let hash = sip_hash(self.k0, self.k1, &[probe], last).to_le_bytes();
        let mut token = [0; TOKEN_LENGTH];
        token[..PROOF_LENGTH].copy_from_slice(&hash[..PROOF_LENGTH]);
        token[PROOF_LENGTH..8].copy_from_slice(&transmission.to_le_bytes());
        token[8..].copy_from_slice(&probe.to_le_bytes());
        token
    }

    /// The probe and the transmission that a payload proves to be an answer to; `None` where it has
    /// no whole token, or one that was not made here for this sequence.
    pub fn open(&self, sequence: u16, payload: &[u8]) -> Option<(u64, u16)> {
        let token: &Token = payload.get(..TOKEN_LENGTH)?.try_into().ok()?;
        let mut probe = [0; 8];
        probe.copy_from_slice(&token[8..]);
        let probe = u64::from_le_bytes(probe);
        let transmission = u16::from_le_bytes([token[PROOF_LENGTH], token[PROOF_LENGTH + 1]]);
        (*token == self.token(probe, sequence, transmission)).then_some((probe, transmission))
    }
}

/// SipHash-2-4 of a message given as whole words and the last one: the bytes left over, with the
/// message's length (modulo 256) in the highest byte.
fn sip_hash(k0: u64, k1: u64, words: &[u64], last: u64) -> u64 {
    let mut v = [
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d,
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ];
    for word in words.iter().chain(&[last]) {
        v[3] ^= word;
        rounds(&mut v, 2);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    rounds(&mut v, 4);
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

#[inline(always)]
fn rounds(v: &mut [u64; 4], count: u32) {
    for _ in 0..count {
        v[0] = v[0].wrapping_add(v[1]);
        v[1] = v[1].rotate_left(13) ^ v[0];
        v[0] = v[0].rotate_left(32);
        v[2] = v[2].wrapping_add(v[3]);
        v[3] = v[3].rotate_left(16) ^ v[2];
        v[0] = v[0].wrapping_add(v[3]);
        v[3] = v[3].rotate_left(21) ^ v[0];
        v[2] = v[2].wrapping_add(v[1]);
        v[1] = v[1].rotate_left(17) ^ v[2];
        v[2] = v[2].rotate_left(32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> TokenKey {
        TokenKey::new(*b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f")
    }

    /// The first two vectors of the reference implementation's `vectors_sip64`.
    #[test]
    fn the_hash_is_siphash_2_4() {
        let key = key();
        assert_eq!(sip_hash(key.k0, key.k1, &[], 0), 0x726f_db47_dd0e_0e31);
        assert_eq!(sip_hash(key.k0, key.k1, &[], 1 << 56), 0x74f8_39c5_93dc_67fd);
    }

    /// The message 00 01 .. 0b, hashed by another implementation (OpenSSL's SIPHASH).
    #[test]
    fn a_token_is_proof_transmission_and_probe() {
        let token = key().token(0x0706_0504_0302_0100, 0x0908, 0x0b0a);
        assert_eq!(token[..6], [0xfb, 0xe5, 0x0e, 0x86, 0xbc, 0x8f]);
        assert_eq!(token[6..], [0x0a, 0x0b, 0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn a_token_opens_with_its_own_key_and_sequence_only() {
        let token = key().token(77, 5, 6);
        assert_eq!(key().open(5, &token), Some((77, 6)));
        assert_eq!(key().open(5, &[&token[..], &[1, 2, 3]].concat()), Some((77, 6)));
        assert_eq!(key().open(5, &token[..15]), None);
        assert_eq!(key().open(4, &token), None);
        assert_eq!(TokenKey::new([7; 16]).open(5, &token), None);
        for bit in 0..128 {
            let mut other = token;
            other[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key().open(5, &other), None, "bit {bit}");
        }
    }

    #[test]
    fn every_part_of_the_identity_changes_the_proof() {
        let tokens = [
            key().token(1, 1, 2),
            key().token(1, 2, 2),
            key().token(1, 1, 3),
            key().token(2, 1, 2),
            key().token(1 << 32 | 1, 1, 2),
            TokenKey::new([7; 16]).token(1, 1, 2),
        ];
        let proofs = tokens.map(|token| token[..PROOF_LENGTH].to_vec());
        for (index, proof) in proofs.iter().enumerate() {
            assert!(!proofs[..index].contains(proof));
        }
    }
}
