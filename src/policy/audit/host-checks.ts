import type { Check } from "./practices.ts";

/** What is asked of the host and its engine. */
export interface AuditedHost {
  /** Permission bits of the engine's socket; undefined: it is not a file. */
  readonly socketMode: number | undefined;
  readonly insecureRegistries: readonly string[];
  /** A mandatory access control that is active: AppArmor, SELinux. */
  readonly accessControl: string | undefined;
  /** Ranges of user ids are set aside for containers (`/etc/subuid`). */
  readonly userRange: boolean;
  /** The command that sets them aside. */
  readonly makeUserRange: string;
  readonly ownFileSystem: boolean;
  readonly root: string;
}

const OTHERS = 0o007;

/** Everything that is asked of the host. */
export const hostChecks: readonly Check<AuditedHost>[] = [
  {
    practice: "user",
    name: "socket-mode",
    weight: "high",
    cis: ["3.16"],
    why: "Who can write to the socket is root on this host",
    kept: "Only root and the socket's group reach the engine",
    look: ({ socketMode }) =>
      socketMode !== undefined && (socketMode & OTHERS) !== 0
        ? {
            found: `The engine's socket is open to everybody (${(socketMode & 0o777).toString(8)})`,
            remedy: "chmod 660 on the socket",
          }
        : undefined,
  },
  {
    practice: "user",
    name: "user-range",
    weight: "medium",
    cis: ["2.9"],
    why: "Without ids set aside, containers share the host's users",
    kept: "User ids are set aside for containers",
    look: ({ userRange, makeUserRange }) =>
      userRange ? undefined : { found: "No user ids are set aside for containers", remedy: makeUserRange },
  },
  {
    practice: "minimal",
    name: "access-control",
    weight: "low",
    cis: ["5.2", "5.3"],
    why: "There is no second wall behind user ids and capabilities",
    kept: "A mandatory access control is active",
    look: ({ accessControl }) =>
      accessControl === undefined
        ? {
            found: "Neither AppArmor nor SELinux is active",
            remedy: "Start the kernel with security=apparmor and install apparmor",
          }
        : undefined,
  },
  {
    practice: "registry",
    name: "insecure-registries",
    weight: "medium",
    cis: ["2.5"],
    why: "Whoever is on the way can give another image",
    kept: "Every registry is spoken to with TLS",
    look: ({ insecureRegistries }) =>
      insecureRegistries.length === 0
        ? undefined
        : {
            found: `Spoken to without TLS: ${insecureRegistries.join(", ")}`,
            remedy:
              "Give the registry a certificate, put its CA in /etc/havre/certs.d/HOST/, and drop --insecure-registry",
          },
  },
  {
    practice: "signatures",
    name: "unsigned",
    weight: "low",
    cis: ["4.5"],
    why: "A registry that was broken into can give another image under the same name",
    kept: "Signatures are checked",
    look: () => ({
      found: "Signatures of images are not checked by this version",
      remedy: "Name images by digest: NAME@sha256:…",
    }),
  },
  {
    practice: "limits",
    name: "own-file-system",
    weight: "low",
    cis: ["1.1.1"],
    why: "Logs and images can fill the disk the host lives on",
    kept: "Havre's folder is on a file system of its own",
    look: ({ ownFileSystem, root }) =>
      ownFileSystem
        ? undefined
        : {
            found: `${root} is on the host's own file system`,
            remedy: `Mount a file system at ${root} while the daemon is stopped`,
          },
  },
];
