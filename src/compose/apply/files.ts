import { chmodSync, chownSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HavreError, toHavreError } from "../../base/mod.ts";
import { readSource } from "../load/files.ts";
import type { Project } from "../load/model.ts";
import { type FileUse, fileUses } from "../request/mounts.ts";
import type { Service } from "../schema/service.ts";
import type { PlacedFile } from "./engine.ts";

/** Configs and secrets as a container gets them: bound from the host, or put into it. */
export interface StagedFiles {
  readonly binds: readonly string[];
  readonly puts: readonly PlacedFile[];
}

const DEFAULT_MODE = 0o444;

/**
 * Prepares a service's configs and secrets. What is a file on the host is bound as it is; what comes from a variable or
 * stands in the Compose file, and what is to have an owner or mode of its own, is written below `folder`, a folder in
 * memory that root alone may enter, and bound from there: it shows in no inspect and touches no disk. Without such a
 * folder (a daemon elsewhere) it is put into the container.
 */
export function stageFiles(project: Project, name: string, service: Service, folder: string | undefined): StagedFiles {
  const binds: string[] = [];
  const puts: PlacedFile[] = [];
  for (const [index, use] of fileUses(service).entries()) {
    const source = sourceOf(project, use);
    // Read even when it is bound: a missing one is found here, not by the engine, which would make a folder of it.
    const content = source.content();
    const isAsItIs = use.uid === undefined && use.gid === undefined && use.mode === undefined;
    if (source.path !== undefined && isAsItIs) binds.push(`${source.path}:${use.target}:ro`);
    else {
      const file = placed(use, content);
      if (folder === undefined) puts.push(file);
      else binds.push(`${write(join(folder, project.name, name), String(index), file)}:${use.target}:ro`);
    }
  }
  return { binds, puts };
}

/** What a secret of the project holds, for a build. The same errors as for a container. */
export function secretContent(project: Project, name: string): Buffer {
  const { path, content } = sourceOf(project, { kind: "secret", name, target: "" });
  // Not every secret is text.
  return path === undefined ? Buffer.from(content()) : readBytes("secret", name, path);
}

/** Forgets what was written for a project. */
export function dropFiles(project: string, folder: string | undefined): void {
  if (folder !== undefined) rmSync(join(folder, project), { recursive: true, force: true });
}

interface FileSource {
  readonly path?: string;
  readonly content: () => string;
}

function sourceOf(project: Project, { kind, name }: FileUse): FileSource {
  const given = (kind === "config" ? project.configs : project.secrets)[name] ?? {};
  if (given.external)
    throw new HavreError("not-implemented", `unsupported external ${kind} ${given.name ?? name}`, {
      hint: `Give ${kind} ${name} a file, a variable or content`,
    });
  if (given.content !== undefined) return { content: () => given.content ?? "" };
  const { environment, file } = given;
  if (environment !== undefined) {
    const value = project.environment.get(environment);
    if (value === undefined)
      throw new HavreError(
        "failed-precondition",
        `environment variable "${environment}" required by ${kind} "${name}" is not set`,
      );
    return { content: () => value };
  }
  if (file === undefined) throw new HavreError("not-implemented", `${kind} ${name}: its driver is not served`);
  return { path: file, content: () => contentOf(kind, name, file) };
}

function readBytes(kind: string, name: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { kind: why, message } = toHavreError(error);
    throw new HavreError(why, `${kind} ${name}: ${message}`, { cause: error });
  }
}

function contentOf(kind: string, name: string, path: string): string {
  try {
    return readSource(path, path).text;
  } catch (error) {
    const { kind: why, message } = toHavreError(error);
    throw new HavreError(why, `${kind} ${name}: ${message}`, { cause: error });
  }
}

function placed({ name, kind, target, uid = "0", gid = "0", mode }: FileUse, content: string): PlacedFile {
  const number = (what: string, text: string) => {
    if (!/^\d+$/.test(text))
      throw new HavreError(
        "invalid-argument",
        `${kind} ${name}: ${what} must be a number, not ${JSON.stringify(text)}`,
      );
    return Number(text);
  };
  return { path: target, content, uid: number("uid", uid), gid: number("gid", gid), mode: mode ?? DEFAULT_MODE };
}

/** Written beside and renamed: a container that starts meanwhile sees one or the other whole. */
function write(folder: string, name: string, { content, uid, gid, mode }: PlacedFile): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, name);
  const beside = `${path}.new`;
  writeFileSync(beside, content, { mode: 0o600 });
  chownSync(beside, uid, gid);
  chmodSync(beside, mode);
  renameSync(beside, path);
  return path;
}
