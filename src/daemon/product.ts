import { spawnSync } from "node:child_process";
import { VERSION } from "../base/mod.ts";

interface Component {
  readonly name: string;
  readonly version: string;
  readonly commit: string;
}

const NOT_KNOWN = "";

/** What this program is and which programs it works with; asked of them once, when first wanted. */
export function productInfo(): () => {
  readonly version: string;
  readonly commit: string;
  readonly buildTime: string;
  readonly components: readonly Component[];
} {
  let components: readonly Component[] | undefined;
  return () => {
    components ??= ["conmon", "crun", "runc"].flatMap(componentOf);
    return { version: VERSION, commit: NOT_KNOWN, buildTime: NOT_KNOWN, components };
  };
}

/** `conmon version 2.1.6\ncommit: abc` and the like; nothing when the program is not installed. */
function componentOf(name: string): Component[] {
  const { status, stdout } = spawnSync(name, ["--version"], { encoding: "utf8" });
  if (status !== 0) return [];
  const version = /version ([^\s,]+)/.exec(stdout)?.[1] ?? NOT_KNOWN;
  const commit = /commit: ?(\S+)/.exec(stdout)?.[1] ?? NOT_KNOWN;
  return [{ name, version, commit }];
}
