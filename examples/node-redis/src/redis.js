import { connect } from "node:net";

/** The smallest client that a counter needs: one connection, commands answered in order (RESP 2). */
export class Redis {
  #socket;
  #waiting = [];
  #text = "";

  constructor(host, port = 6379) {
    this.#socket = connect(port, host);
    this.#socket.setEncoding("utf8").on("data", (data) => this.#read(data));
    this.#socket.on("error", (error) => this.#fail(error)).on("close", () => this.#fail(new Error("Redis closed")));
  }

  send(...words) {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error("Redis is not there"));
      this.#waiting.push({ resolve, reject });
      this.#socket.write(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`);
    });
  }

  #read(data) {
    this.#text += data;
    for (let end = this.#text.indexOf("\r\n"); end >= 0; end = this.#text.indexOf("\r\n")) {
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 2);
      if (line.startsWith("$")) continue; // The length of what comes in the next line.
      const { resolve, reject } = this.#waiting.shift();
      if (line.startsWith("-")) reject(new Error(line.slice(1)));
      else resolve(line.replace(/^[+:]/, ""));
    }
  }

  #fail(error) {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
