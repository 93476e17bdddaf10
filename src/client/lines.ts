/** The lines of a byte stream; a last line without its newline counts. */
export async function* readLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let held = "";
  for await (const chunk of source) {
    const parts = (held + decoder.decode(chunk, { stream: true })).split("\n");
    held = parts.pop() ?? "";
    for (const line of parts) yield line;
  }
  held += decoder.decode();
  if (held !== "") yield held;
}

/** The values of a stream of JSON texts, one per line (Docker's progress, events and stats streams). */
export async function* readJsonLines<T>(source: AsyncIterable<Uint8Array>): AsyncGenerator<T> {
  for await (const line of readLines(source)) {
    if (line.trim() !== "") yield JSON.parse(line) as T;
  }
}
