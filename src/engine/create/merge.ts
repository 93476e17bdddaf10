import type { ContainerConfig, ExecutionConfig, Healthcheck } from "../../spec/mod.ts";

/**
 * What a container runs when the image's configuration fills in what the request leaves out: dockerd's rules. An entry
 * point of the request drops the image's command; an empty-string entry point clears both.
 */
export function mergeImageConfig(request: ContainerConfig, image: ExecutionConfig = {}): ContainerConfig {
  const entrypoint = request.Entrypoint ?? [];
  const ownEntrypoint = entrypoint.length > 0;
  const cleared = entrypoint.length === 1 && entrypoint[0] === "";
  const command = request.Cmd ?? [];
  const merged: ContainerConfig = {
    ...request,
    User: request.User || image.User || "",
    WorkingDir: request.WorkingDir || image.WorkingDir || "",
    Env: nullIfEmpty(mergeEnvironment(request.Env ?? [], image.Env ?? [])),
    Labels: { ...image.Labels, ...request.Labels },
    // An empty list says "none", only null inherits.
    Entrypoint: cleared ? null : (request.Entrypoint ?? image.Entrypoint ?? null),
    Cmd: ownEntrypoint || command.length > 0 ? nullIfEmpty(command) : (image.Cmd ?? null),
    Volumes: nullIfNone({ ...image.Volumes, ...request.Volumes }),
  };
  const ports = { ...image.ExposedPorts, ...request.ExposedPorts };
  const stopSignal = request.StopSignal || image.StopSignal;
  const shell = request.Shell ?? image.Shell;
  const health = mergeHealthcheck(request.Healthcheck, image.Healthcheck);
  return {
    ...merged,
    ...(Object.keys(ports).length === 0 ? {} : { ExposedPorts: ports }),
    ...(stopSignal ? { StopSignal: stopSignal } : {}),
    ...(shell === undefined ? {} : { Shell: shell }),
    ...(health === undefined ? {} : { Healthcheck: health }),
  };
}

/** The request's variables, then those of the image that it does not name. */
function mergeEnvironment(request: readonly string[], image: readonly string[]): readonly string[] {
  const nameOf = (variable: string) => variable.split("=", 1)[0];
  const named = new Set(request.map(nameOf));
  return [...request, ...image.filter((variable) => !named.has(nameOf(variable)))];
}

/** Field by field: zero inherits. */
function mergeHealthcheck(request: Healthcheck | undefined, image: Healthcheck | undefined): Healthcheck | undefined {
  if (request === undefined || image === undefined) return request ?? image;
  return {
    Test: (request.Test?.length ?? 0) > 0 ? (request.Test ?? null) : (image.Test ?? null),
    Interval: request.Interval || image.Interval || 0,
    Timeout: request.Timeout || image.Timeout || 0,
    StartPeriod: request.StartPeriod || image.StartPeriod || 0,
    StartInterval: request.StartInterval || image.StartInterval || 0,
    Retries: request.Retries || image.Retries || 0,
  };
}

function nullIfEmpty(words: readonly string[]): readonly string[] | null {
  return words.length === 0 ? null : words;
}

function nullIfNone<T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> | null {
  return Object.keys(record).length === 0 ? null : record;
}
