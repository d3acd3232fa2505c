//! A name server of the tests' own, on UDP and TCP: what it does with a question depends on the
//! first label of the name. It answers from a table, never from anywhere else.

use crate::lab::Namespace;
use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// RFC 1035, 3.2.2.
const A: u16 = 1;
const CNAME: u16 = 5;
const PTR: u16 = 12;
/// RFC 1035, 4.1.1: bits of the second line of the header.
const RESPONSE: u16 = 0x8180;
const TRUNCATED: u16 = 0x0200;
const SERVER_FAILURE: u16 = 2;
const NO_SUCH_NAME: u16 = 3;
const REFUSED: u16 = 5;

/// What it does with a question.
#[derive(Clone)]
pub enum Act {
    /// Gives these IPv4 addresses, in this order.
    Addresses(Vec<[u8; 4]>),
    /// The same, after so long.
    Slow(Duration, [u8; 4]),
    /// Says that the answer does not fit; gives it over TCP.
    Truncated(Vec<[u8; 4]>),
    /// Says that the answer does not fit, and closes every TCP connection.
    TruncatedForGood,
    /// A failure with this code of the response.
    Code(u16),
    /// Says nothing.
    Silent,
    /// There is the name, and no record of the type.
    NoData,
    /// A record of an address that is three bytes long.
    ShortRecord([u8; 4]),
    /// An answer to another name, from the right server.
    OtherName([u8; 4]),
    /// An answer with another identifier.
    OtherIdentifier([u8; 4]),
    /// A response that ends in the middle of its header, or in nonsense.
    Garbage,
    /// The name's alias is the name.
    AliasOfItself,
    /// A name that points to itself, so that reading it never ends.
    PointerLoop,
    /// The name of an address, in these bytes.
    Name(Vec<u8>),
}

impl Act {
    pub fn servfail() -> Act {
        Act::Code(SERVER_FAILURE)
    }

    pub fn refused() -> Act {
        Act::Code(REFUSED)
    }

    pub fn no_such_name() -> Act {
        Act::Code(NO_SUCH_NAME)
    }
}

/// The running server; ends when dropped.
pub struct NameServer {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    questions: Arc<Mutex<HashMap<String, usize>>>,
}

type Table = Arc<HashMap<&'static str, Act>>;

impl NameServer {
    /// Serves `table`, by first labels, at `address` in `namespace`. Other names are not known.
    pub fn start(
        namespace: &Namespace,
        address: &str,
        table: Vec<(&'static str, Act)>,
    ) -> NameServer {
        let at = format!("{}:53", address);
        let (udp, tcp) = namespace.enter(move || {
            let udp = UdpSocket::bind(&at).expect("the port of name servers");
            (udp, TcpListener::bind(&at).expect("the same, for TCP"))
        });
        udp.set_read_timeout(Some(Duration::from_millis(50))).expect("a socket");
        tcp.set_nonblocking(true).expect("a socket");
        let table: Table = Arc::new(table.into_iter().collect());
        let stop = Arc::new(AtomicBool::new(false));
        let questions = Arc::new(Mutex::new(HashMap::new()));
        let (end, known, asked) = (Arc::clone(&stop), Arc::clone(&table), Arc::clone(&questions));
        let over_udp = std::thread::spawn(move || serve_udp(udp, &known, &asked, &end));
        let end = Arc::clone(&stop);
        let over_tcp = std::thread::spawn(move || serve_tcp(&tcp, &table, &end));
        NameServer { stop, threads: vec![over_udp, over_tcp], questions }
    }

    /// How often it was asked for names with this first label, over UDP.
    pub fn asked(&self, label: &str) -> usize {
        self.questions.lock().expect("no panic there").get(label).copied().unwrap_or(0)
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// A question: the request up to its end, the first label, and the type.
struct Question {
    identifier: u16,
    /// Name, type and class as they came.
    bytes: Vec<u8>,
    label: String,
    kind: u16,
}

fn parse(request: &[u8]) -> Option<Question> {
    let identifier = u16::from_be_bytes([*request.first()?, *request.get(1)?]);
    let length = usize::from(*request.get(12)?);
    let label = String::from_utf8_lossy(request.get(13..13 + length)?).to_ascii_lowercase();
    let mut at = 12;
    while *request.get(at)? != 0 {
        at += 1 + usize::from(request[at]);
    }
    let kind = u16::from_be_bytes([*request.get(at + 1)?, *request.get(at + 2)?]);
    Some(Question { identifier, bytes: request.get(12..at + 5)?.to_vec(), label, kind })
}

impl Question {
    fn header(&self, flags: u16, answers: u16) -> Vec<u8> {
        let mut message = Vec::new();
        for word in [self.identifier, RESPONSE | flags, 1, answers, 0, 0] {
            message.extend(word.to_be_bytes());
        }
        message.extend(&self.bytes);
        message
    }

    /// Records of the name asked for.
    fn response(&self, records: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let mut message = self.header(0, records.len() as u16);
        for (kind, data) in records {
            message.extend([0xc0, 12]); // the name in the question
            message.extend(kind.to_be_bytes());
            message.extend([0, 1, 0, 0, 0, 1]); // IN, one second
            message.extend((data.len() as u16).to_be_bytes());
            message.extend(data);
        }
        message
    }

    fn addresses(&self, addresses: &[[u8; 4]]) -> Vec<u8> {
        let records: Vec<_> = match self.kind {
            A => addresses.iter().map(|address| (A, address.to_vec())).collect(),
            _ => Vec::new(),
        };
        self.response(&records)
    }

    /// What is sent over UDP; `None` for nothing.
    fn answer(&self, act: &Act) -> Option<Vec<u8>> {
        Some(match act {
            Act::Addresses(addresses) => self.addresses(addresses),
            Act::Slow(_, address) => self.addresses(&[*address]),
            Act::Truncated(_) | Act::TruncatedForGood => self.header(TRUNCATED, 0),
            Act::Code(code) => self.header(*code, 0),
            Act::Silent => return None,
            Act::NoData => self.response(&[]),
            Act::ShortRecord(address) => self.response(&[(self.kind, address[..3].to_vec())]),
            Act::OtherName(address) => {
                let mut message = self.addresses(&[*address]);
                message[13] ^= 1; // another letter in the question, and so in the record
                message
            }
            Act::OtherIdentifier(address) => {
                let mut message = self.addresses(&[*address]);
                message[0] ^= 0x55;
                message
            }
            Act::Garbage => {
                let mut message = self.header(0, 9);
                message.extend([0xff; 40]);
                message
            }
            Act::AliasOfItself => self.response(&[(CNAME, vec![0xc0, 12])]),
            Act::PointerLoop => {
                let mut message = self.header(0, 1);
                let here = message.len() as u8;
                message.extend([0xc0, here, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 10, 1, 0, 2]);
                message
            }
            Act::Name(label) => {
                if self.kind != PTR {
                    return Some(self.response(&[]));
                }
                let mut name = vec![label.len() as u8];
                name.extend(label);
                name.extend(b"\x07example\0");
                self.response(&[(PTR, name)])
            }
        })
    }
}

fn serve_udp(
    socket: UdpSocket,
    table: &Table,
    asked: &Mutex<HashMap<String, usize>>,
    stop: &AtomicBool,
) {
    let mut buffer = [0; 1500];
    let mut late: Vec<JoinHandle<()>> = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let (length, from) = match socket.recv_from(&mut buffer) {
            Ok(received) => received,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                continue
            }
            // An asker that has gone: the socket goes on.
            Err(_) => continue,
        };
        let question = match parse(&buffer[..length]) {
            Some(question) => question,
            None => continue,
        };
        *asked.lock().expect("no panic here").entry(question.label.clone()).or_insert(0) += 1;
        let unknown = Act::no_such_name();
        let act = table.get(question.label.as_str()).unwrap_or(&unknown);
        let send = |socket: &UdpSocket, answer: Option<Vec<u8>>, to: SocketAddr| {
            if let Some(answer) = answer {
                let _ = socket.send_to(&answer, to);
            }
        };
        let answer = question.answer(act);
        if let Act::Slow(after, _) = act {
            let (after, socket) = (*after, socket.try_clone().expect("a descriptor"));
            late.push(std::thread::spawn(move || {
                std::thread::sleep(after);
                send(&socket, answer, from);
            }));
        } else {
            send(&socket, answer, from);
        }
    }
    for thread in late {
        let _ = thread.join();
    }
}

fn serve_tcp(listener: &TcpListener, table: &Table, stop: &AtomicBool) {
    while !stop.load(Ordering::SeqCst) {
        match listener.accept() {
            Ok((stream, _)) => {
                let _ = serve_connection(stream, table);
            }
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// Questions and answers have their length before them (RFC 1035, 4.2.2).
fn serve_connection(mut stream: TcpStream, table: &Table) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut request = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut request)?;
        let question = match parse(&request) {
            Some(question) => question,
            None => return Ok(()),
        };
        let answer = match table.get(question.label.as_str()) {
            Some(Act::Truncated(addresses)) => question.addresses(addresses),
            _ => return Ok(()), // which closes the connection
        };
        stream.write_all(&(answer.len() as u16).to_be_bytes())?;
        stream.write_all(&answer)?;
    }
}
