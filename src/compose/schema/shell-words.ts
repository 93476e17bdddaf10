/**
 * Parts a command line into words as a shell does, without variables: blanks part, quotes hold together, a backslash
 * takes the next character as it is. Undefined when a quote stays open. Words after `;`, `&`, `|` … are not a shell's:
 * there is none.
 */
export function splitWords(line: string): string[] | undefined {
  const words: string[] = [];
  let word = "";
  let inWord = false;
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    if (char === "\\" && quote !== "'") {
      at++;
      if (at >= line.length) return undefined;
      word += line.charAt(at);
      inWord = true;
    } else if (quote !== "") {
      if (char === quote) quote = "";
      else word += char;
    } else if (char === "'" || char === '"') {
      quote = char;
      inWord = true;
    } else if (/[ \t\r\n]/.test(char)) {
      if (inWord) words.push(word);
      word = "";
      inWord = false;
    } else {
      word += char;
      inWord = true;
    }
  }
  if (quote !== "") return undefined;
  if (inWord) words.push(word);
  return words;
}
