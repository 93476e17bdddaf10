/** Where random identifiers come from; passed in so that a test can fix them. */
export type IdSource = () => string;

/** 64 hexadecimal digits, as Docker names containers and execs. Never all digits in the first 12, which would read as a number. */
export const newId: IdSource = () => {
  for (;;) {
    // The command line pays 2 ms for loading node:crypto.
    const id = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex");
    if (!/^\d{12}/.test(id)) return id;
  }
};

/** The 12-digit form shown to people; a digest's algorithm is dropped. */
export function shortId(id: string): string {
  return id.replace(/^sha\d+:/, "").slice(0, 12);
}
