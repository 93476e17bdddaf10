import type { Package } from "./package.ts";

/** The installed packages of a dpkg status file (deb822 paragraphs). One without a Status line is taken as installed. */
export function readDpkgStatus(text: string, place: string): readonly Package[] {
  return text.split(/\n\s*\n/).flatMap((paragraph): readonly Package[] => {
    const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, "mi").exec(paragraph)?.[1]?.trim();
    const [name, version, status] = [field("Package"), field("Version"), field("Status")];
    if (name === undefined || version === undefined) return [];
    if (status !== undefined && !/ installed$/.test(status)) return [];
    const [architecture, source] = [field("Architecture"), field("Source")];
    return [
      {
        kind: "deb",
        name,
        version,
        ...(architecture ? { architecture } : {}),
        ...(source ? { source } : {}),
        place,
      },
    ];
  });
}
