//! The token in an echo request's payload: SipHash-2-4 with 128 bits of result
//! (<https://www.aumasson.jp/siphash/>) over what identifies a request. The identifier is left
//! out, because datagram sockets get theirs from the system.

use crate::address::{Address, Family};

/// Bytes of a token; a payload shorter than that carries as much of it as fits.
pub const TOKEN_LENGTH: usize = 16;

/// What a request carries first in its payload, and what an answer must bring back.
pub type Token = [u8; TOKEN_LENGTH];

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

    /// The token of one transmission to one address.
    pub fn token(&self, to: &Address, sequence: u16, transmission: u16) -> Token {
        // As a message: 16 bytes of address, 4 of scope, 2 each of sequence and transmission
        // number, 1 of family; a family byte keeps 1.2.3.4 apart from 102:304::.
        let address = u128::from_le_bytes(*to.bytes());
        let words = [
            address as u64,
            (address >> 64) as u64,
            u64::from(to.scope()) | u64::from(sequence) << 32 | u64::from(transmission) << 48,
        ];
        let family = match to.family() {
            Family::V4 => 4,
            Family::V6 => 6,
        };
        sip_hash_128(self.k0, self.k1, &words, 25 << 56 | family)
    }
}

/// SipHash-2-4-128 of a message given as whole words and the last one: the bytes left over, with
/// the message's length (modulo 256) in the highest byte.
fn sip_hash_128(k0: u64, k1: u64, words: &[u64], last: u64) -> Token {
    let mut v = [
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d ^ 0xee,
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ];
    for word in words.iter().chain(&[last]) {
        v[3] ^= word;
        rounds(&mut v, 2);
        v[0] ^= word;
    }
    v[2] ^= 0xee;
    rounds(&mut v, 4);
    let low = v[0] ^ v[1] ^ v[2] ^ v[3];
    v[1] ^= 0xdd;
    rounds(&mut v, 4);
    let high = v[0] ^ v[1] ^ v[2] ^ v[3];
    (u128::from(high) << 64 | u128::from(low)).to_le_bytes()
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

    /// The first two vectors of the reference implementation's `vectors_sip128`.
    #[test]
    fn the_hash_is_siphash_2_4_128() {
        let key = key();
        let empty = sip_hash_128(key.k0, key.k1, &[], 0);
        assert_eq!(u128::from_be_bytes(empty), 0xa3817f04_ba25a8e6_6df67214_c7550293);
        let one_byte = sip_hash_128(key.k0, key.k1, &[], 1 << 56);
        assert_eq!(u128::from_be_bytes(one_byte), 0xda87c1d8_6b99af44_34765911_9b22fc45);
    }

    /// The message 00 01 .. 17 06, hashed by another implementation (OpenSSL's SIPHASH).
    #[test]
    fn a_token_is_the_hash_of_address_scope_sequence_transmission_and_family() {
        let bytes: Vec<u8> = (0..16).collect();
        let mut address = [0; 16];
        address.copy_from_slice(&bytes);
        let token = key().token(&Address::v6(address, 0x13121110), 0x1514, 0x1716);
        assert_eq!(u128::from_be_bytes(token), 0x623ad846_64e63001_8b567d3c_032c856e);
    }

    #[test]
    fn every_part_of_the_identity_changes_the_token() {
        let v4 = Address::v4([127, 0, 0, 1]);
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&[127, 0, 0, 1]);
        let tokens = [
            key().token(&v4, 1, 2),
            key().token(&v4, 2, 2),
            key().token(&v4, 1, 3),
            key().token(&Address::v4([127, 0, 0, 2]), 1, 2),
            key().token(&Address::v6(bytes, 0), 1, 2),
            key().token(&Address::v6(bytes, 1), 1, 2),
            TokenKey::new([7; 16]).token(&v4, 1, 2),
        ];
        for (index, token) in tokens.iter().enumerate() {
            assert!(!tokens[..index].contains(token));
        }
    }
}
