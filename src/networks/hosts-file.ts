/** A line of /etc/hosts. */
export interface HostRecord {
  readonly address: string;
  readonly names: string;
}

export interface HostsRequest {
  readonly hostname: string;
  readonly domainname?: string;
  /** The container's own addresses; none with `--net none` or `--net host`. */
  readonly addresses: readonly string[];
  /** `name:address` as the API has them; `host-gateway` as address stands for `hostGateway`. */
  readonly extraHosts: readonly string[];
  readonly hostGateway: string;
}

const STANDARD: readonly HostRecord[] = [
  { address: "127.0.0.1", names: "localhost" },
  { address: "::1", names: "localhost ip6-localhost ip6-loopback" },
  { address: "fe00::0", names: "ip6-localnet" },
  { address: "ff00::0", names: "ip6-mcastprefix" },
  { address: "ff02::1", names: "ip6-allnodes" },
  { address: "ff02::2", names: "ip6-allrouters" },
];

/**
 * A container's /etc/hosts, to the letter as Docker 26 writes it. With `--net host` and no extra hosts Docker copies
 * the host's file instead: that is the caller's to do.
 */
export function hostsFile(request: HostsRequest): string {
  const extra = request.extraHosts.map((entry) => extraHost(entry, request.hostGateway));
  const own = ownHostRecords(request.hostname, request.domainname ?? "", request.addresses);
  return `${format([...STANDARD, ...extra])}${own}`;
}

/** The lines of a container's own addresses. */
export function ownHostRecords(hostname: string, domainname: string, addresses: readonly string[]): string {
  const names = ownNames(hostname, domainname);
  return format(addresses.map((address) => ({ address, names })));
}

function format(records: readonly HostRecord[]): string {
  return records.map(({ address, names }) => `${address}\t${names}\n`).join("");
}

/** /etc/hostname. */
export function hostnameFile(hostname: string): string {
  return `${hostname}\n`;
}

/** IPv6 addresses have colons too: only the first one separates. */
function extraHost(entry: string, hostGateway: string): HostRecord {
  const colon = entry.indexOf(":");
  const address = entry.slice(colon + 1);
  return { names: entry.slice(0, colon), address: address === "host-gateway" ? hostGateway : address };
}

/** The full name, then its first label if it has more than one. */
function ownNames(hostname: string, domainname: string): string {
  const full = domainname === "" ? hostname : `${hostname}.${domainname}`;
  const dot = full.indexOf(".");
  return dot < 0 ? full : `${full} ${full.slice(0, dot)}`;
}
