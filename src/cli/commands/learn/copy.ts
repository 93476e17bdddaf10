import type { Client } from "../../../client/mod.ts";

const PROFILE_LABEL = "havre.profile";
const GRANTS_LABEL = "havre.grants";
const OBSERVE_LABEL = "havre.observe";
const COMPOSE_LABELS = /^com\.docker\.compose\./;
const SCRATCH = ["/tmp", "/run"];
const PORT_START = "net.ipv4.ip_unprivileged_port_start";

/** As much of `GET /containers/NAME/json` as is looked at; the rest goes into the copy as it is. */
export interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly State: {
    readonly Running: boolean;
    readonly ExitCode: number;
    readonly Health?: { readonly Status: string };
  };
  readonly Config: {
    readonly Labels: Readonly<Record<string, string>> | null;
    readonly Volumes: Readonly<Record<string, object>> | null;
    readonly Healthcheck?: { readonly Test?: readonly string[] };
  };
  readonly HostConfig: {
    readonly SecurityOpt: readonly string[] | null;
    readonly Sysctls?: Readonly<Record<string, string>> | null;
    readonly Tmpfs?: Readonly<Record<string, string>> | null;
    readonly NetworkMode: string;
  };
  readonly Mounts: readonly { readonly Destination: string }[];
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, object>> | null };
}

export function inspect(client: Client, name: string): Promise<Inspected> {
  return client.json<Inspected>("GET", `/containers/${encodeURIComponent(name)}/json`);
}

/** Words that a container was granted by its label. */
export function grantsOf({ Config }: Inspected): readonly string[] {
  return (Config.Labels?.[GRANTS_LABEL] ?? "").split(/[\s,]+/).filter((word) => word !== "");
}

/** What a copy is to be under; absent: what its original is. */
export interface CopyTerms {
  readonly grants: readonly string[];
  /** Text of a filter. */
  readonly seccomp?: string;
}

/**
 * The request for a watched copy: the same image, command, mounts and networks; no published ports, no names of others,
 * no restarts. Named volumes and folders of the host are the original's own.
 */
export function copyRequest(original: Inspected, terms?: CopyTerms): object {
  const { Config, HostConfig, NetworkSettings } = original;
  const own = Object.entries(Config.Labels ?? {}).filter(([name]) => !COMPOSE_LABELS.test(name));
  const labels = { ...Object.fromEntries(own), [OBSERVE_LABEL]: "true" };
  const host = {
    ...HostConfig,
    PortBindings: {},
    PublishAllPorts: false,
    AutoRemove: false,
    RestartPolicy: { Name: "no" },
    ContainerIDFile: "",
    Links: null,
  };
  const networks = Object.keys(NetworkSettings.Networks ?? {}).filter((name) => name !== "none" && name !== "host");
  const NetworkingConfig = { EndpointsConfig: Object.fromEntries(networks.map((name) => [name, {}])) };
  if (terms === undefined) return { ...Config, Labels: labels, Hostname: "", HostConfig: host, NetworkingConfig };
  const written = grantsOf(original).flatMap((word) =>
    word.startsWith("write:") ? [word.slice("write:".length)] : [],
  );
  const options = (HostConfig.SecurityOpt ?? []).filter((option) => !/^(no-new-privileges|seccomp[=:])/.test(option));
  const { [PORT_START]: _profile, ...Sysctls } = HostConfig.Sysctls ?? {};
  return {
    ...Config,
    Hostname: "",
    Volumes: Object.fromEntries(Object.entries(Config.Volumes ?? {}).filter(([path]) => !written.includes(path))),
    Labels: { ...labels, [PROFILE_LABEL]: "hardened", [GRANTS_LABEL]: terms.grants.join(" ") },
    HostConfig: {
      ...host,
      CapAdd: null,
      CapDrop: null,
      ReadonlyRootfs: false,
      // As the hardened profile has them, though the watched copy's root can be written.
      Tmpfs: { ...scratch(original), ...HostConfig.Tmpfs },
      Sysctls,
      SecurityOpt: terms.seccomp === undefined ? options : [...options, `seccomp=${terms.seccomp}`],
    },
    NetworkingConfig,
  };
}

function scratch({ Mounts }: Inspected): Record<string, string> {
  const taken = Mounts.map(({ Destination }) => Destination);
  return Object.fromEntries(SCRATCH.filter((path) => !taken.includes(path)).map((path) => [path, "mode=1777,exec"]));
}

/** Creates and starts a copy; its id. */
export async function startCopy(client: Client, original: Inspected, terms?: CopyTerms): Promise<string> {
  const name = `${original.Name.replace(/^\//, "")}-watched-${Math.random().toString(36).slice(2, 8)}`;
  const { Id } = await client.json<{ Id: string }>("POST", "/containers/create", {
    query: { name },
    json: copyRequest(original, terms),
  });
  try {
    await client.run("POST", `/containers/${Id}/start`);
  } catch (error) {
    await removeCopy(client, Id);
    throw error;
  }
  return Id;
}

export async function removeCopy(client: Client, id: string): Promise<void> {
  await client.run("DELETE", `/containers/${id}`, { query: { force: "1", v: "1" } });
}
