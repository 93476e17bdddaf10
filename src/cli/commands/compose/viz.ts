import type { Service } from "../../../compose/mod.ts";
import { imageOf } from "../../../compose/mod.ts";
import { integer, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { projectFlags } from "./flags.ts";
import { projectOf } from "./project.ts";

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Print a project's services and what they depend on as a graph, in Graphviz' language",
  examples: [["compose alpha viz --image | dot -Tsvg > shop.svg", "As a picture"]],
  flags: {
    ...projectFlags,
    image: toggle("Include service's image name in output graph"),
    "indentation-size": integer("Number of tabs or spaces to use for indentation", { initial: 1 }),
    networks: toggle("Include service's attached networks in output graph"),
    ports: toggle("Include service's exposed ports in output graph"),
    spaces: toggle("If given, space character ' ' will be used to indent, otherwise tab character '\\t' will be used"),
  },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const project = await projectOf(context, flags);
    const indent = (flags.spaces ? " " : "\t").repeat(flags["indentation-size"]);
    const names = Object.keys(project.services).sort();
    const details = (name: string, service: Service): string => {
      const ports = (service.ports ?? []).map(({ published, target, protocol }) =>
        [published, target, protocol].filter((one) => one !== undefined).join(":"),
      );
      return [
        flags.networks ? section("Networks", Object.keys(service.networks ?? {}).sort()) : "",
        flags.ports ? section("Ports", ports) : "",
        flags.image ? section("Image", [imageOf(project, name, service)]) : "",
      ].join("");
    };
    const nodes = names.map((name) => {
      const label = `<font point-size="15">${name}</font>${details(name, project.services[name] ?? {})}`;
      return `${indent}"${name}" [style="filled" label=<${label}>];`;
    });
    const edges = names.flatMap((name) =>
      Object.keys(project.services[name]?.depends_on ?? {})
        .sort()
        .map((other) => `${indent}"${name}" -> "${other}";`),
    );
    for (const line of [`digraph "${project.name}" {`, `${indent}layout=dot;`, ...nodes, "", ...edges, "}"])
      context.out.line(line);
    return 0;
  },
});

function section(title: string, values: readonly string[]): string {
  if (values.length === 0) return "";
  return `<font point-size="10"><br/><br/><b>${title}:</b>${values.map((value) => `<br/>${value}`).join("")}</font>`;
}
