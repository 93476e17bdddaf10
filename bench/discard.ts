/**
 * Reads a URL of loopback and lets the kernel drop what comes, so that a server is measured and not its client:
 *
 *   bun bench/discard.ts http://127.0.0.1:PORT/PATH
 *
 * Exits with 1 unless the whole body came. (tcp(7): MSG_TRUNC takes bytes off the queue without copying them.)
 */
import { dlopen, FFIType, ptr } from "bun:ffi";

const { symbols: libc } = dlopen("libc.so.6", {
  socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  connect: { args: [FFIType.i32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  send: { args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32], returns: FFIType.i64 },
  recv: { args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32], returns: FFIType.i64 },
});
const [AF_INET, SOCK_STREAM, MSG_TRUNC] = [2, 1, 0x20];

const url = new URL(process.argv[2] ?? "");
const address = Buffer.alloc(16);
address.writeUInt16LE(AF_INET, 0);
address.writeUInt16BE(Number(url.port), 2);
address.set(url.hostname.split(".").map(Number), 4);
const fd = libc.socket(AF_INET, SOCK_STREAM, 0);
if (libc.connect(fd, ptr(address), address.length) !== 0) process.exit(1);
const request = Buffer.from(`GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\n\r\n`);
libc.send(fd, ptr(request), request.length, 0);

const buffer = Buffer.alloc(4 << 20);
let head = "";
while (!head.includes("\r\n\r\n")) {
  const came = Number(libc.recv(fd, ptr(buffer), 4096, 0));
  if (came <= 0) process.exit(1);
  head += buffer.toString("latin1", 0, came);
}
let missing = Number(/content-length: (\d+)/i.exec(head)?.[1]) - (head.length - head.indexOf("\r\n\r\n") - 4);
while (missing > 0) {
  const came = Number(libc.recv(fd, ptr(buffer), buffer.length, MSG_TRUNC));
  if (came <= 0) process.exit(1);
  missing -= came;
}
process.exit(head.startsWith("HTTP/1.1 200") ? 0 : 1);
