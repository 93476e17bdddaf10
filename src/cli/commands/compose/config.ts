import { writeFileSync } from "node:fs";
import type { Client } from "../../../client/mod.ts";
import {
  configHash,
  imageOf,
  type Project,
  projectVariables,
  renderProject,
  selectServices,
  type TemplateVariable,
} from "../../../compose/mod.ts";
import { text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import type { Context } from "../../context.ts";
import { printList } from "../../output/format.ts";
import { projectFlags } from "./flags.ts";
import { loadOptions, projectOf } from "./project.ts";
import { withRemoteFiles } from "./remote/files.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Parse, resolve and render compose file in canonical format",
  examples: [
    ["compose config", "What the files mean, with every default and path in place"],
    ["compose config --quiet", "Only whether they are right"],
    ["compose config --services", "The services' names"],
  ],
  flags: {
    ...projectFlags,
    format: text("Format the output: yaml or json", { initial: "yaml", defaultText: '"yaml"' }),
    hash: text('Print the services\' configuration hashes, one per line ("*" for all)'),
    images: toggle("Print the image names, one per line"),
    "no-consistency": toggle("Don't check model consistency"),
    "no-interpolate": toggle("Don't interpolate environment variables"),
    "no-normalize": toggle("Don't normalize compose model"),
    "no-path-resolution": toggle("Don't resolve file paths"),
    output: text("Save to file (default to stdout)", { short: "o" }),
    profiles: toggle("Print the profile names, one per line"),
    "resolve-image-digests": toggle("Pin image tags to digests"),
    quiet: toggle("Only validate the configuration, don't print anything", { short: "q" }),
    services: toggle("Print the service names, one per line"),
    variables: toggle("Print model variables and default values."),
    volumes: toggle("Print the volume names, one per line"),
  },
  min: 0,
  async run({ context, flags, args }) {
    if (flags.variables)
      return printVariables(context, await withRemoteFiles(context, loadOptions(context, flags), projectVariables));
    const loaded = await projectOf(context, flags, {
      interpolates: !flags["no-interpolate"],
      resolvesPaths: !flags["no-path-resolution"],
      checks: !flags["no-consistency"],
      normalises: !flags["no-normalize"],
    });
    const chosen = selectServices(loaded, args, true);
    const project = flags["resolve-image-digests"] ? await pinned(await context.client(), chosen) : chosen;
    const services = Object.entries(project.services).sort(([a], [b]) => (a < b ? -1 : 1));
    const lines = (all: readonly string[]) => all.map((line) => `${line}\n`).join("");
    const render = () => {
      if (flags.quiet) return "";
      if (flags.services) return lines(services.map(([name]) => name));
      if (flags.volumes) return lines(Object.keys(project.volumes).sort());
      if (flags.images) return lines(services.map(([name, service]) => imageOf(project, name, service)));
      if (flags.hash !== "") {
        const wanted = flags.hash === "*" ? undefined : flags.hash.split(",");
        const shown = services.filter(([name]) => wanted?.includes(name) ?? true);
        return lines(shown.map(([name, service]) => `${name} ${configHash(service)}`));
      }
      if (flags.profiles) {
        const all = Object.values({ ...project.services, ...project.inactive }).flatMap(
          ({ profiles = [] }) => profiles,
        );
        return lines([...new Set(all)].sort());
      }
      return renderProject(project, flags.format === "json" ? "json" : "yaml");
    };
    const rendered = render();
    if (flags.output !== "") writeFileSync(flags.output, rendered);
    else context.out.write(rendered);
    return 0;
  },
});

/** Each image by its digest, as its registry has it now. */
export async function pinned(client: Client, project: Project): Promise<Project> {
  const services = Object.entries(project.services).map(async ([name, service]) => {
    const { image } = service;
    if (image === undefined || image.includes("@")) return [name, service] as const;
    const path = `/distribution/${encodeURI(image)}/json`;
    const { Descriptor } = await client.json<{ Descriptor: { digest: string } }>("GET", path);
    return [name, { ...service, image: `${image}@${Descriptor.digest}` }] as const;
  });
  return { ...project, services: Object.fromEntries(await Promise.all(services)) };
}

async function printVariables({ out }: Context, variables: readonly TemplateVariable[]): Promise<number> {
  await printList(out, {
    rows: variables.map(({ name, required, otherwise, instead }) => ({
      Name: () => name,
      Required: () => String(required),
      Default: () => otherwise,
      Alternate: () => instead,
    })),
    headings: { Name: "NAME", Required: "REQUIRED", Default: "DEFAULT VALUE", Alternate: "ALTERNATE VALUE" },
    typeName: "template.Variable",
    format: "table {{.Name}}\t{{.Required}}\t{{.Default}}\t{{.Alternate}}",
  });
  return 0;
}
