import type { Package } from "./package.ts";

/** The packages of Alpine's database of what is installed (apk-tools, `lib/apk/db/installed`): letters with values, an empty line between packages. */
export function readApkDatabase(text: string, place: string): readonly Package[] {
  return text.split(/\n\s*\n/).flatMap((paragraph): readonly Package[] => {
    const field = (letter: string) => new RegExp(`^${letter}:(.*)$`, "m").exec(paragraph)?.[1]?.trim();
    const [name, version] = [field("P"), field("V")];
    if (!name || !version) return [];
    const [architecture, license, source] = [field("A"), field("L"), field("o")];
    return [
      {
        kind: "apk",
        name,
        version,
        ...(architecture ? { architecture } : {}),
        ...(license ? { license } : {}),
        ...(source ? { source } : {}),
        place,
      },
    ];
  });
}
