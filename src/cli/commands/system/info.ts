import { jsonFlag } from "../../args/common.ts";
import { text } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { printJson } from "../../output/format.ts";
import { executeTemplate, parseTemplate } from "../../output/template-list.ts";
import { binarySize } from "../../output/units.ts";
import { version } from "../../version.ts";

/** `GET /info`, the part that is shown. */
interface Info {
  readonly Containers: number;
  readonly ContainersRunning: number;
  readonly ContainersPaused: number;
  readonly ContainersStopped: number;
  readonly Images: number;
  readonly ServerVersion?: string;
  readonly Driver?: string;
  readonly DriverStatus?: readonly (readonly [string, string])[] | null;
  readonly LoggingDriver?: string;
  readonly CgroupDriver?: string;
  readonly CgroupVersion?: string;
  readonly Plugins?: Readonly<Record<string, readonly string[] | null>>;
  readonly Swarm?: { readonly LocalNodeState?: string };
  readonly Runtimes?: Readonly<Record<string, unknown>> | null;
  readonly DefaultRuntime?: string;
  readonly InitBinary?: string;
  readonly SecurityOptions?: readonly string[] | null;
  readonly KernelVersion?: string;
  readonly OperatingSystem?: string;
  readonly OSType?: string;
  readonly Architecture?: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly Name?: string;
  readonly ID?: string;
  readonly DockerRootDir?: string;
  readonly Debug?: boolean;
  readonly Labels?: readonly string[] | null;
  readonly LiveRestoreEnabled?: boolean;
  readonly RegistryConfig?: {
    readonly InsecureRegistryCIDRs?: readonly string[] | null;
    readonly IndexConfigs?: Readonly<Record<string, { Name: string; Secure: boolean }>> | null;
    readonly Mirrors?: readonly string[] | null;
  } | null;
  readonly Warnings?: readonly string[] | null;
}

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Display system-wide information",
  examples: [
    ["info", "The daemon and its host"],
    ["info --format '{{.CgroupVersion}}'", "One field"],
  ],
  flags: { format: text("Format output using a Go template, or 'json'", { short: "f" }), json: jsonFlag },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const info = await (await context.client()).json<Info>("GET", "/info");
    if (flags.json) printJson(context.out, info);
    else if (flags.format === "json") context.out.line(JSON.stringify(info));
    else if (flags.format !== "") {
      context.out.line(executeTemplate(parseTemplate(flags.format), info));
    } else {
      context.out.write(`Client:\n Version:    ${version}\n\nServer:\n${infoLines(info).join("\n")}\n\n`);
      for (const warning of info.Warnings ?? []) context.err.line(warning);
    }
    return 0;
  },
});

function infoLines(info: Info): string[] {
  const some = (label: string, value: string | undefined) => (value ? [` ${label}: ${value}`] : []);
  const many = (label: string, values: readonly string[] | null | undefined) =>
    values && values.length > 0 ? [` ${label}:`, ...values.map((value) => `  ${value}`)] : [];
  const plugins = Object.entries(info.Plugins ?? {}).filter(([, names]) => names && names.length > 0);
  return [
    ` Containers: ${info.Containers}`,
    `  Running: ${info.ContainersRunning}`,
    `  Paused: ${info.ContainersPaused}`,
    `  Stopped: ${info.ContainersStopped}`,
    ` Images: ${info.Images}`,
    ...some("Server Version", info.ServerVersion),
    ...some("Storage Driver", info.Driver),
    ...(info.DriverStatus ?? []).map(([name, value]) => `  ${name}: ${value}`),
    ...some("Logging Driver", info.LoggingDriver),
    ...some("Cgroup Driver", info.CgroupDriver),
    ...some("Cgroup Version", info.CgroupVersion),
    ...(plugins.length > 0
      ? [" Plugins:", ...plugins.map(([kind, names]) => `  ${kind}: ${(names ?? []).join(" ")}`)]
      : []),
    ...some("Swarm", info.Swarm?.LocalNodeState),
    ...some("Runtimes", Object.keys(info.Runtimes ?? {}).join(" ")),
    ...some("Default Runtime", info.DefaultRuntime),
    ...some("Init Binary", info.InitBinary),
    ...securityLines(info.SecurityOptions ?? []),
    ...some("Kernel Version", info.KernelVersion),
    ...some("Operating System", info.OperatingSystem),
    ...some("OSType", info.OSType),
    ...some("Architecture", info.Architecture),
    ` CPUs: ${info.NCPU}`,
    ` Total Memory: ${binarySize(info.MemTotal)}`,
    ...some("Name", info.Name),
    ...some("ID", info.ID),
    ...some("Root Dir", info.DockerRootDir),
    ` Debug Mode: ${info.Debug ?? false}`,
    ...many("Labels", info.Labels),
    ...many("Insecure Registries", insecureRegistries(info)),
    ...many("Registry Mirrors", info.RegistryConfig?.Mirrors),
    ` Live Restore Enabled: ${info.LiveRestoreEnabled ?? false}`,
  ];
}

function insecureRegistries({ RegistryConfig }: Info): string[] {
  const named = Object.values(RegistryConfig?.IndexConfigs ?? {}).filter(({ Secure }) => !Secure);
  return [...named.map(({ Name }) => Name), ...(RegistryConfig?.InsecureRegistryCIDRs ?? [])];
}

/** `name=seccomp,profile=builtin` as a name and its profile. */
function securityLines(options: readonly string[]): string[] {
  if (options.length === 0) return [];
  const lines = options.flatMap((option) => {
    const fields = new Map(option.split(",").map((field) => field.split("=") as [string, string]));
    const profile = fields.get("profile");
    return [`  ${fields.get("name") ?? option}`, ...(profile === undefined ? [] : [`   Profile: ${profile}`])];
  });
  return [" Security Options:", ...lines];
}
