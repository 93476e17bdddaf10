import { HavreError } from "../base/mod.ts";

/** `HostConfig.SecurityOpt` in parts. Empty strings: not given. */
export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  /** JSON text, `unconfined`, `builtin` or empty. */
  readonly seccomp: string;
  readonly apparmor: string;
  /** SELinux label options as given: `disable`, `type:…`, `level:…`, `user:…`, `role:…`, `filetype:…`, `nested`. */
  readonly labels: readonly string[];
}

const TRUE = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const FALSE = new Set(["0", "f", "F", "FALSE", "false", "False"]);

function invalid(option: string, step: 1 | 2): HavreError {
  return new HavreError("invalid-argument", `invalid --security-opt ${step}: ${JSON.stringify(option)}`, {
    hint: "Known are no-new-privileges, seccomp=, apparmor= and label=",
  });
}

/** Splits at `=`, or at `:` (the old form). */
function keyAndValue(option: string): [key: string, value: string] {
  const separator = option.includes("=") ? "=" : ":";
  const at = option.indexOf(separator);
  if (at < 0) throw invalid(option, 1);
  return [option.slice(0, at), option.slice(at + 1)];
}

/** Reads security options; `invalid-argument` in Docker's words for one that is unknown. The last of a kind wins. */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let noNewPrivileges = false;
  let seccomp = "";
  let apparmor = "";
  const labels: string[] = [];
  for (const option of options) {
    if (option === "no-new-privileges") noNewPrivileges = true;
    else if (option === "disable") labels.push("disable");
    else {
      const [key, value] = keyAndValue(option);
      if (key === "label") labels.push(value);
      else if (key === "apparmor") apparmor = value;
      else if (key === "seccomp") seccomp = value;
      else if (key === "no-new-privileges" && (TRUE.has(value) || FALSE.has(value))) noNewPrivileges = TRUE.has(value);
      else throw invalid(option, 2);
    }
  }
  return { noNewPrivileges, seccomp, apparmor, labels };
}
