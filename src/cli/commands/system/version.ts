import { isHavreError } from "../../../base/mod.ts";
import { jsonFlag } from "../../args/common.ts";
import { text } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { printJson } from "../../output/format.ts";
import { executeTemplate, parseTemplate } from "../../output/template-list.ts";
import { version } from "../../version.ts";

/** `GET /version`. */
interface ServerVersion {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly KernelVersion?: string;
  readonly Platform?: { readonly Name: string };
  readonly Components?:
    | readonly { Name: string; Version: string; Details?: Readonly<Record<string, string>> | null }[]
    | null;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64" };

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Show the Havre version information",
  examples: [["version --format '{{.Server.Version}}'", "Only the daemon's"]],
  flags: { format: text("Format output using a Go template, or 'json'", { short: "f" }), json: jsonFlag },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const Client = {
      Version: version,
      Os: process.platform,
      Arch: ARCHITECTURES[process.arch] ?? process.arch,
      Runtime: `bun ${process.versions.bun}`,
    };
    const { server, failure } = await askServer();
    if (flags.json || flags.format === "json") {
      if (flags.json) printJson(context.out, { Client, Server: server ?? null });
      else context.out.line(JSON.stringify({ Client, Server: server ?? null }));
    } else if (flags.format !== "") {
      // Docker's templates see another spelling than its JSON has.
      const Server = server && { ...server, APIVersion: server.ApiVersion };
      context.out.line(executeTemplate(parseTemplate(flags.format), { Client, Server }));
    } else {
      context.out.write(clientText(Client));
      if (server) context.out.write(serverText(server));
    }
    if (failure === undefined) return 0;
    context.err.line(failure);
    return 1;

    /** A missing daemon is no reason to hide the client's own version. */
    async function askServer(): Promise<{ server?: ServerVersion; failure?: string }> {
      try {
        return { server: await (await context.client()).json<ServerVersion>("GET", "/version") };
      } catch (error) {
        if (isHavreError(error)) return { failure: error.message };
        throw error;
      }
    }
  },
});

function table(rows: readonly (readonly [name: string, value: string | undefined])[], indent: string): string {
  return rows
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([name, value]) => `${`${indent}${name}:`.padEnd(20)}${value}\n`)
    .join("");
}

function clientText(client: { Version: string; Os: string; Arch: string; Runtime: string }): string {
  return `Client:\n${table(
    [
      ["Version", client.Version],
      ["Runtime", client.Runtime],
      ["OS/Arch", `${client.Os}/${client.Arch}`],
    ],
    " ",
  )}`;
}

function serverText(server: ServerVersion): string {
  const engine = [
    ["Version", server.Version],
    ["API version", `${server.ApiVersion} (minimum version ${server.MinAPIVersion})`],
    ["OS/Arch", `${server.Os}/${server.Arch}`],
    ["Kernel", server.KernelVersion],
  ] as const;
  const name = server.Platform?.Name ? ` ${server.Platform.Name}` : "";
  const others = (server.Components ?? []).filter((component) => component.Name !== "Engine");
  const parts = others.map(
    (component) =>
      ` ${component.Name}:\n${table([["Version", component.Version], ...Object.entries(component.Details ?? {})], "  ")}`,
  );
  return `\nServer:${name}\n Engine:\n${table(engine, "  ")}${parts.join("")}`;
}
