import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { HavreError } from "../../../../base/mod.ts";
import { pair } from "./request.ts";

/** Where the result of a build goes beside the daemon's own images. */
export type BuildOutput =
  /** Its files: unpacked into a folder, or as an archive. */
  | { readonly kind: "files"; readonly type: "local" | "tar"; readonly dest: string }
  /** The image as an archive (OCI layout, which `docker load` reads as well). */
  | { readonly kind: "archive"; readonly type: "archive"; readonly dest: string };

/** `--output`: `type=…,dest=…`, a folder's name, or `-` for an archive on standard output. `invalid-argument`. */
export function parseOutput(text: string): BuildOutput | undefined {
  if (text === "") return undefined;
  if (text === "-") return { kind: "files", type: "tar", dest: "-" };
  if (!text.includes("=")) return { kind: "files", type: "local", dest: text };
  const fields = new Map(text.split(",").map((field) => pair(field)));
  const type = fields.get("type") ?? "";
  const dest = fields.get("dest") ?? "";
  if (type === "image" || (type === "docker" && dest === "")) return undefined;
  if (!["local", "tar", "oci", "docker"].includes(type)) {
    throw new HavreError("invalid-argument", `unsupported output type: ${JSON.stringify(type)}`, {
      hint: "local, tar, oci, docker or image",
    });
  }
  if (dest === "" && type === "local") throw new HavreError("invalid-argument", "dest is required for local exporter");
  if (type === "local" || type === "tar") return { kind: "files", type, dest: dest || "-" };
  return { kind: "archive", type: "archive", dest: dest || "-" };
}

export interface OutputSink {
  write(bytes: Uint8Array): void;
  end(): Promise<void>;
}

export function openOutput({ type, dest }: BuildOutput): OutputSink {
  if (type === "local") return unpackInto(dest);
  const fd = dest === "-" ? 1 : openSync(dest, "w", 0o644);
  return {
    write: (bytes) => {
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    },
    end: async () => {
      if (fd !== 1) closeSync(fd);
    },
  };
}

/** By tar(1), as whoever asked: nothing is made that they could not make. */
function unpackInto(folder: string): OutputSink {
  mkdirSync(folder, { recursive: true });
  const child = spawn("tar", ["-x", "--no-same-owner", "-C", folder], { stdio: ["pipe", "inherit", "inherit"] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  ended.catch(() => {});
  child.stdin.on("error", () => {});
  return {
    write: (bytes) => void child.stdin.write(bytes.slice()),
    end: async () => {
      child.stdin.end();
      const code = await ended;
      if (code !== 0)
        throw new HavreError("internal", `The files could not be unpacked into ${folder}: tar ended with ${code}`);
    },
  };
}
