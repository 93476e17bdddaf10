import { HavreError, isHavreError } from "../../../base/mod.ts";
import { type Client, daemonMessage, FrameReader, readLines } from "../../../client/mod.ts";
import {
  type Body,
  type Change,
  type ContainerCondition,
  type ContainerState,
  type Engine,
  type Hook,
  LABEL,
  type Labels,
  type NamedResources,
  type Observed,
  type PlacedFile,
} from "../../../compose/mod.ts";
import { writeTarFile } from "../container/copy/tar-writer.ts";

/** What a list of containers tells (Docker API `ContainerSummary`). */
interface Summary {
  readonly Id: string;
  readonly Names: readonly string[] | null;
  readonly ImageID: string;
  readonly State: string;
  readonly Labels: Labels | null;
  readonly Mounts?: readonly { readonly Type: string; readonly Name?: string; readonly Destination: string }[] | null;
}

interface NamedObject {
  readonly Id?: string;
  readonly Name: string;
  readonly Labels: Labels | null;
}

/** Compose's engine: the daemon, by the Docker API. */
export class ClientEngine implements Engine {
  constructor(readonly client: Client) {}

  async observe(project: string, named: NamedResources): Promise<Observed> {
    const label = JSON.stringify({ label: [`${LABEL.project}=${project}`] });
    const [containers, networks, volumes, images] = await Promise.all([
      this.containers(project),
      this.#named("/networks", named.networks, label),
      this.#named("/volumes", named.volumes, label),
      Promise.all(named.images.map(async (image) => [image, await this.imageId(image)] as const)),
    ]);
    return {
      containers,
      networks: new Map(networks.map(({ Name, Id = Name, Labels }) => [Name, { id: Id, labels: Labels ?? {} }])),
      volumes: new Map(volumes.map(({ Name, Labels }) => [Name, { labels: Labels ?? {} }])),
      images: new Map(images.flatMap(([image, id]) => (id === undefined ? [] : [[image, id] as const]))),
    };
  }

  /** All containers of a project, those that ended and those of `run` too. */
  async containers(project: string): Promise<ContainerState[]> {
    const filters = JSON.stringify({ label: [`${LABEL.project}=${project}`] });
    const found = await this.client.json<Summary[]>("GET", "/containers/json", { query: { all: true, filters } });
    return found.map(containerState);
  }

  /** Those of the project, and of the named ones those that another has made. */
  async #named(
    path: "/networks" | "/volumes",
    names: readonly string[],
    filters: string,
  ): Promise<readonly NamedObject[]> {
    const own = await this.#list(path, filters);
    const missing = names.filter((name) => !own.some((one) => one.Name === name));
    if (missing.length === 0) return own;
    const others = await this.#list(path, JSON.stringify({ name: missing }));
    return [...own, ...others.filter(({ Name }) => missing.includes(Name))];
  }

  async #list(path: string, filters: string): Promise<readonly NamedObject[]> {
    const answer = await this.client.json<readonly NamedObject[] | { Volumes: readonly NamedObject[] | null }>(
      "GET",
      path,
      { query: { filters } },
    );
    return "Volumes" in answer ? (answer.Volumes ?? []) : (answer as readonly NamedObject[]);
  }

  async imageId(image: string): Promise<string | undefined> {
    try {
      return (await this.client.json<{ Id: string }>("GET", `/images/${encodeURI(image)}/json`)).Id;
    } catch (error) {
      if (isHavreError(error, "not-found")) return undefined;
      throw error;
    }
  }

  async createNetwork(name: string, body: Body): Promise<void> {
    await this.client.run("POST", "/networks/create", { json: { Name: name, ...body } });
  }

  removeNetwork(id: string): Promise<void> {
    return this.client.run("DELETE", `/networks/${id}`);
  }

  async createVolume(name: string, body: Body): Promise<void> {
    await this.client.run("POST", "/volumes/create", { json: { Name: name, ...body } });
  }

  removeVolume(name: string): Promise<void> {
    return this.client.run("DELETE", `/volumes/${name}`);
  }

  removeImage(name: string): Promise<void> {
    return this.client.run("DELETE", `/images/${encodeURI(name)}`);
  }

  async createContainer(name: string, body: Body, platform: string): Promise<string> {
    const query = { name, platform: platform || undefined };
    return (await this.client.json<{ Id: string }>("POST", "/containers/create", { query, json: body })).Id;
  }

  startContainer(id: string): Promise<void> {
    return this.client.run("POST", `/containers/${id}/start`, { accept: ["not-modified"] });
  }

  stopContainer(id: string, timeout: number | undefined): Promise<void> {
    return this.client.run("POST", `/containers/${id}/stop`, { query: { t: timeout }, accept: ["not-modified"] });
  }

  removeContainer(id: string, volumes: boolean): Promise<void> {
    return this.client.run("DELETE", `/containers/${id}`, { query: { force: true, v: volumes || undefined } });
  }

  renameContainer(id: string, name: string): Promise<void> {
    return this.client.run("POST", `/containers/${id}/rename`, { query: { name } });
  }

  changeContainer(
    id: string,
    change: Change,
    more: { timeout?: number | undefined; signal?: string | undefined },
  ): Promise<void> {
    const query = { t: more.timeout, signal: more.signal };
    return this.client.run("POST", `/containers/${id}/${change}`, { query });
  }

  takePorts(id: string, from: string, drainSeconds: number): Promise<void> {
    return this.client.run("POST", `/havre/v1/containers/${id}/take-ports`, { query: { from, drain: drainSeconds } });
  }

  async condition(id: string): Promise<ContainerCondition> {
    const { Name, State } = await this.client.json<{
      Name: string;
      State: {
        Status: string;
        ExitCode: number;
        Health?: { Status: string; FailingStreak: number; Log?: readonly { Output: string }[] | null } | null;
      };
    }>("GET", `/containers/${id}/json`);
    const { Health: health } = State;
    return {
      name: Name.replace(/^\//, ""),
      status: State.Status,
      exitCode: State.ExitCode,
      ...(health
        ? {
            health: {
              status: health.Status,
              failingStreak: health.FailingStreak,
              lastOutput: health.Log?.at(-1)?.Output ?? "",
            },
          }
        : {}),
    };
  }

  async wait(id: string, signal: AbortSignal): Promise<number> {
    return (await this.client.json<{ StatusCode: number }>("POST", `/containers/${id}/wait`, { signal })).StatusCode;
  }

  async *changes(ids: readonly string[], signal: AbortSignal): AsyncGenerator<void> {
    const filters = JSON.stringify({ type: ["container"], container: ids });
    const answer = await this.client.request("GET", "/events", { query: { filters }, signal });
    try {
      for await (const line of readLines(answer.body)) if (line.trim() !== "") yield;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async exec(id: string, hook: Hook): Promise<{ exitCode: number; output: string }> {
    const { Id } = await this.client.json<{ Id: string }>("POST", `/containers/${id}/exec`, {
      json: {
        Cmd: hook.command ?? [],
        User: hook.user ?? "",
        Privileged: hook.privileged ?? false,
        WorkingDir: hook.working_dir ?? "",
        Env: Object.entries(hook.environment ?? {}).map(([name, value]) =>
          value === null ? name : `${name}=${value}`,
        ),
        AttachStdout: true,
        AttachStderr: true,
      },
    });
    const stream = await this.client.hijack("POST", `/exec/${Id}/start`, { json: { Detach: false, Tty: false } });
    let output = "";
    const frames = new FrameReader((_name, data) => {
      output += Buffer.from(data).toString();
    });
    stream.endInput();
    await stream.read((chunk) => frames.push(chunk));
    const { ExitCode } = await this.client.json<{ ExitCode: number | null }>("GET", `/exec/${Id}/json`);
    return { exitCode: ExitCode ?? 0, output };
  }

  putFile(id: string, file: PlacedFile): Promise<void> {
    return this.client.run("PUT", `/containers/${id}/archive`, {
      query: { path: "/" },
      body: writeTarFile(file.path.replace(/^\/+/, ""), file.content, file),
      contentType: "application/x-tar",
    });
  }
}

function containerState({ Id, Names, ImageID, State, Labels, Mounts }: Summary): ContainerState {
  return {
    id: Id,
    name: (Names?.[0] ?? Id).replace(/^\//, ""),
    state: State,
    imageId: ImageID,
    labels: Labels ?? {},
    mounts: (Mounts ?? []).map(({ Type, Name = "", Destination }) => ({ type: Type, name: Name, target: Destination })),
  };
}

/** The daemon's own words, where its prefix would only stand in the way. */
export function plainMessage(error: unknown): string {
  return error instanceof HavreError ? daemonMessage(error) : String(error);
}
