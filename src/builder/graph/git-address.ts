/** A git repository as `ADD` and a remote context name it: `URL#ref:folder`. */
export interface GitAddress {
  readonly remote: string;
  readonly ref?: string;
  readonly folder?: string;
}

/** Docker's rules for what is a repository and not a path or a file of the web. */
export function isGitAddress(text: string): boolean {
  if (/^git@[^:]+:/.test(text) || /^(git|ssh|git\+ssh):\/\//.test(text)) return true;
  return /^https?:\/\/[^#?]+\.git(#|$)/.test(text) || /^github\.com\//.test(text);
}

export function parseGitAddress(text: string): GitAddress {
  const at = text.indexOf("#");
  const remote = at < 0 ? text : text.slice(0, at);
  const [ref = "", folder = ""] = at < 0 ? [] : text.slice(at + 1).split(":", 2);
  return {
    remote: remote.startsWith("github.com/") ? `https://${remote}` : remote,
    ...(ref === "" ? {} : { ref }),
    ...(folder === "" ? {} : { folder }),
  };
}
