const SYSTEM_FOLDERS = new Set([
  "/",
  ...[
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/proc",
    "/root",
    "/run",
    "/sys",
    "/usr",
    "/var",
    "/var/lib",
    "/var/run",
  ],
]);

/** A path without the slashes at its end. */
export const withoutSlash = (path: string): string => path.replace(/(.)\/+$/, "$1");

/** A folder of the host's system itself: what is written there changes the host. */
export function isSystemFolder(path: string): boolean {
  return SYSTEM_FOLDERS.has(withoutSlash(path));
}

/** The socket of an engine: who speaks to it is root. */
export const ENGINE_SOCKET = /(^|\/)(docker|havre|containerd|podman|crio)\.sock$/;
