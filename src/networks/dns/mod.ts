/**
 * Names: a name server for each container on a user-defined network, at 127.0.0.11:53 in its own namespace, as Docker has it.
 *
 * Words: name table (who has which name on which network), membership (a network the asker is on), upstream (a server that
 * others' names are asked of).
 * Owns the sockets in containers' namespaces and the nftables table `havre-names` there, and nothing on disk: a new daemon
 * opens them anew.
 * Invariants: an answer comes from the asker's own networks; a name known there never goes upstream; no bytes, from inside
 * or outside, stop or crash the server.
 */

export {
  givesNames,
  type NamedEndpoint,
  type NamedSandbox,
  NameServers,
  type NameServersOptions,
} from "./name-servers.ts";
