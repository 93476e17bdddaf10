/** The pages hold together: links lead somewhere, pictures are there, and what a guide shows is a command. */
import { expect, test } from "bun:test";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const home = resolve(import.meta.dirname, "..");
const pages = [
  "README.md",
  "CHANGELOG.md",
  ...globSync("docs/**/*.md", { cwd: home }),
  ...globSync("examples/**/*.md", { cwd: home }),
].sort();
const read = (page: string) => readFileSync(join(home, page), "utf8");

/** As GitHub makes anchors of headings. */
function anchors(page: string): Set<string> {
  const headings = [...withoutCode(read(page)).matchAll(/^#+ (.+)$/gm)].map(([, text = ""]) => text);
  const words = headings.map((text) => text.toLowerCase().replace(/\[([^\]]*)\]\([^)]*\)/g, "$1"));
  return new Set(
    words.map((text) =>
      text
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .trim()
        .replaceAll(" ", "-"),
    ),
  );
}

function withoutCode(text: string): string {
  return text.replace(/^ *```[\s\S]*?^ *```/gm, "").replace(/`[^`\n]*`/g, "");
}

test.each(pages)("links of %s lead somewhere", (page) => {
  const lost = [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = ""]) => {
    if (/^(https?|mailto):/.test(target)) return [];
    const [path = "", anchor] = target.split("#");
    const file = path === "" ? page : join(dirname(page), path);
    if (!existsSync(join(home, file))) return [target];
    return anchor !== undefined && file.endsWith(".md") && !anchors(file).has(anchor) ? [target] : [];
  });
  expect(lost).toEqual([]);
});

test("every page is reached from the index", () => {
  const reached = new Set<string>();
  const queue = ["docs/README.md"];
  for (let page = queue.pop(); page !== undefined; page = queue.pop()) {
    if (reached.has(page) || !page.endsWith(".md")) continue;
    reached.add(page);
    for (const [, target = ""] of withoutCode(read(page)).matchAll(/\]\(([^)\s#]+)/g))
      if (!/^https?:/.test(target)) queue.push(join(dirname(page), target));
  }
  const alone = pages.filter(
    (page) => page.startsWith("docs/") && !page.startsWith("docs/decisions/") && !reached.has(page),
  );
  expect(alone).toEqual([]);
});
