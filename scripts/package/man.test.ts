import { expect, test } from "bun:test";
import { text, toggle } from "../../src/cli/args/flags.ts";
import { defineCommand } from "../../src/cli/command.ts";
import { commandTable, type Group } from "../../src/cli/commands/table.ts";
import { globalFlags } from "../../src/cli/main.ts";
import { manualPages } from "./man.ts";

const manual = { version: "1.2.3", date: "2026-01-02", globals: globalFlags };
const command = defineCommand({
  usage: "[OPTIONS] FILE",
  summary: "Move a thing → there",
  detail: ".hidden files too\n'quoted'",
  examples: [["go -f C:\\x", "With a backslash"]],
  flags: {
    force: toggle("Do it", { short: "f" }),
    secret: text("No", { hidden: true }),
    to: text("Where", { defaultText: "/" }),
  },
  min: 1,
  run: async () => 0,
});
const table: Group = {
  summary: "All",
  commands: {
    go: { load: async () => ({ command }) },
    old: { load: async () => ({ command }), hidden: true },
    group: { summary: "More", commands: { go: { load: async () => ({ command }) } } },
  },
};

test("a page for each command and group, none for what help leaves out", async () => {
  const names = (await manualPages(table, manual)).map(({ name }) => name);
  expect(names).toEqual(["havre.1", "havre-go.1", "havre-group.1", "havre-group-go.1"]);
});

test("text cannot become a request or an escape of roff", async () => {
  const page = (await manualPages(table, manual)).find(({ name }) => name === "havre-go.1")?.text;
  expect(page).toBe(`.TH "HAVRE\\-GO" 1 "2026-01-02" "Havre 1.2.3" "Havre"
.SH NAME
havre\\-go \\- Move a thing \\[u2192] there
.SH SYNOPSIS
.B havre go
[OPTIONS] FILE
.SH DESCRIPTION
Move a thing \\[u2192] there.
.PP
\\&.hidden files too
.br
\\(aqquoted\\(aq
.SH OPTIONS
.TP
\\fB\\-f\\fR, \\fB\\-\\-force\\fR
Do it
.TP
\\fB\\-\\-to\\fR \\fIstring\\fR
Where (default /)
.SH EXAMPLES
With a backslash
.PP
.RS 4
.nf
havre go \\-f C:\\ex
.fi
.RE
.SH SEE ALSO
.BR havre (1)
`);
});

test("every command's page has the sections of a manual page, in ASCII", async () => {
  const pages = await manualPages(commandTable, manual);
  expect(pages.length).toBeGreaterThan(100);
  for (const { text } of pages) {
    expect(text).toMatch(/^\.TH "[^"]+" 1 .*\n\.SH NAME\n\S+ \\- \S.*\n\.SH SYNOPSIS\n\.B havre/);
    expect(text).toMatch(/^[\n -~]*$/);
    // Only requests that we write begin a line so.
    expect(text.match(/^['.](?!(TH|SH|TP|PP|RS|RE|BR|B|I|br|sp|nf|fi)\b).*/m)).toBeNull();
  }
});
