import { withoutSlash } from "./host-folders.ts";
import type { LandlockRules } from "./landlock.ts";

/** What Landlock denied, in the words of a refusal. */
export interface LandlockRefusal {
  readonly tried: string;
  readonly target?: string;
  readonly rule: string;
  readonly grant?: string;
  readonly remedy: string;
}

const KERNEL_FOLDERS = ["/proc", "/sys", "/dev"];

/** Whether it is Landlock that denied `path`: below a folder of the kernel's that the container may not write. */
export function landlockPathRefusal(path: string, rules: LandlockRules): LandlockRefusal | undefined {
  if (rules.files === 0) return undefined;
  const folder = KERNEL_FOLDERS.find((one) => path === one || path.startsWith(`${one}/`));
  if (folder === undefined || rules.paths.some((one) => one.path !== folder && isBelow(path, one))) return undefined;
  return {
    tried: "wrote",
    target: path,
    rule: folder === "/dev" ? "Landlock: no file is put below /dev" : `Landlock: nothing is written below ${folder}`,
    grant: "--grant any-path",
    remedy: "Write it elsewhere, below /tmp or a volume; --grant any-path takes the rules on paths away",
  };
}

const isBelow = (path: string, { path: top }: { readonly path: string }): boolean =>
  top !== "/" && path.startsWith(`${withoutSlash(top)}/`);

/** A mount by a container that has the capability for it. */
export function landlockMountRefusal(rules: LandlockRules): LandlockRefusal | undefined {
  if (rules.files === 0) return undefined;
  return {
    tried: "mounted a file system",
    rule: "Landlock: nothing is mounted, moved or remounted",
    grant: "--grant any-path",
    remedy: "Let the engine mount it: -v or --tmpfs; --grant any-path takes the rules on paths away",
  };
}

/** A TCP port that is neither published nor declared. */
export function landlockPortRefusal(port: number, rules: LandlockRules): LandlockRefusal | undefined {
  if (rules.network === 0 || rules.ports.includes(port)) return undefined;
  return {
    tried: "listened",
    target: `port ${port}`,
    rule: "ports inside: only those published or declared",
    grant: `--expose ${port}`,
    remedy: `Declare it: --expose ${port}, EXPOSE in the image, expose in the Compose file; or publish it: -p`,
  };
}
