/** For tests: a volume plug-in in this process, with volumes as folders, that notes every call and fails on demand. */
import { mkdirSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";

interface Call {
  readonly method: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export class TestPlugin implements AsyncDisposable {
  readonly calls: Call[] = [];
  /** What a method does instead: an error in its own words, or never answering. */
  readonly failing = new Map<string, { readonly status: number; readonly err: string } | "hang">();
  readonly volumes = new Map<string, { readonly mounted: Set<string> }>();
  readonly #folder: string;
  readonly #server: Server;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const method = (request.url ?? "").slice(1);
        const text = Buffer.concat(chunks).toString();
        const body = text === "" ? {} : JSON.parse(text);
        this.calls.push({ method, body });
        const failure = this.failing.get(method);
        if (failure === "hang") return;
        const answer = failure ? { Err: failure.err } : this.#answer(method, body);
        response.writeHead(failure?.status ?? (answer ? 200 : 404), { "Content-Type": "application/json" });
        response.end(JSON.stringify(answer ?? {}));
      });
    });
  }

  /** Listens at `socket`; its volumes are folders in `folder`. */
  static async start(socket: string, folder: string): Promise<TestPlugin> {
    const plugin = new TestPlugin(folder);
    await new Promise<void>((resolve) => plugin.#server.listen(socket, resolve));
    return plugin;
  }

  methods(name: string): readonly string[] {
    return this.calls.filter(({ body }) => body.Name === name).map(({ method }) => method.replace("VolumeDriver.", ""));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(method: string, { Name: name = "", ID: id = "" }: { Name?: string; ID?: string }): object | undefined {
    const volume = this.volumes.get(name);
    const place = join(this.#folder, name);
    switch (method) {
      case "Plugin.Activate":
        return { Implements: ["VolumeDriver"] };
      case "VolumeDriver.Capabilities":
        return { Capabilities: { Scope: "global" } };
      case "VolumeDriver.Create":
        mkdirSync(place, { recursive: true });
        this.volumes.set(name, volume ?? { mounted: new Set() });
        return { Err: "" };
      case "VolumeDriver.Remove":
        rmSync(place, { recursive: true, force: true });
        this.volumes.delete(name);
        return { Err: "" };
      case "VolumeDriver.Mount":
        volume?.mounted.add(id);
        return volume ? { Mountpoint: place } : { Err: `no volume ${name}` };
      case "VolumeDriver.Unmount":
        return volume?.mounted.delete(id) ? { Err: "" } : { Err: `${name} is not mounted` };
      case "VolumeDriver.Path":
        return { Mountpoint: place };
      case "VolumeDriver.Get":
        return volume
          ? { Volume: { Name: name, Mountpoint: place, Status: { files: 1 } } }
          : { Err: `no volume ${name}` };
      case "VolumeDriver.List":
        return { Volumes: [...this.volumes.keys()].map((Name) => ({ Name })) };
      default:
        return undefined;
    }
  }
}
