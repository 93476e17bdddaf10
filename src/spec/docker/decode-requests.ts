import type { Resources, RestartPolicy } from "./container.ts";
import { consoleSizeOrNone, portBinding, resourceFields, restartPolicy } from "./container-schema.ts";
import { bool, decodeJson, embedded, emptyStruct, list, map, mapOrEmpty, pointer, string, struct } from "./go-json.ts";

const execConfig = struct("ExecConfig", "types.ExecConfig", {
  User: string,
  Privileged: bool,
  Tty: bool,
  ConsoleSize: consoleSizeOrNone,
  AttachStdin: bool,
  AttachStderr: bool,
  AttachStdout: bool,
  Detach: bool,
  DetachKeys: string,
  Env: list(string),
  WorkingDir: string,
  Cmd: list(string),
});

/** Body of `POST /containers/{id}/exec`. */
export function decodeExecConfig(text: string) {
  return decodeJson(execConfig, text);
}
export const emptyExecConfig = execConfig.zero;

const execStart = struct("ExecStartCheck", "types.ExecStartCheck", {
  Detach: bool,
  Tty: bool,
  ConsoleSize: consoleSizeOrNone,
});

/** Body of `POST /exec/{id}/start`. */
export function decodeExecStart(text: string) {
  return decodeJson(execStart, text);
}
export const emptyExecStart = execStart.zero;

const updateConfig = struct("UpdateConfig", "container.UpdateConfig", {
  ...embedded("Resources", resourceFields),
  RestartPolicy: restartPolicy,
  Labels: pointer(map(string)),
});

export interface UpdateBody {
  readonly resources: Resources;
  readonly restartPolicy: RestartPolicy;
  /** Beyond Docker. */
  readonly labels: Readonly<Record<string, string>> | undefined;
}

/** Body of `POST /containers/{id}/update`, absent fields being zero. */
export function decodeUpdate(text: string): UpdateBody {
  const { RestartPolicy: policy, Labels: labels, ...resources } = decodeJson(updateConfig, text);
  return { resources, restartPolicy: policy, labels: labels ?? undefined };
}

const portChange = struct("PortChange", "havre.PortChange", {
  publish: mapOrEmpty(list(portBinding)),
  unpublish: list(string),
  open: list(string),
});

/** Body of `POST /havre/v1/containers/{id}/ports`. */
export function decodePortChange(text: string) {
  return decodeJson(portChange, text);
}

const authConfig = struct("AuthConfig", "registry.AuthConfig", {
  username: string,
  password: string,
  auth: string,
  email: string,
  serveraddress: string,
  identitytoken: string,
  registrytoken: string,
});

/** Body of `POST /auth` and, after base64url, the header `X-Registry-Auth`. */
export function decodeAuthConfig(text: string) {
  return decodeJson(authConfig, text);
}

const volumeCreate = struct("CreateOptions", "volume.CreateOptions", {
  Name: string,
  Driver: string,
  DriverOpts: map(string),
  Labels: map(string),
  ClusterVolumeSpec: pointer(emptyStruct),
});

/** Body of `POST /volumes/create`. */
export function decodeVolumeCreate(text: string) {
  return decodeJson(volumeCreate, text);
}
export const emptyVolumeCreate = volumeCreate.zero;
