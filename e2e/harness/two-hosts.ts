import { run } from "./process.ts";

export const HOST = { ipv4: "203.0.113.1", ipv6: "fd00:e2e::1" };
export const OUTSIDE = { ipv4: "203.0.113.2", ipv6: "fd00:e2e::2" };

let count = 0;

/**
 * Two network namespaces and a cable: one plays the host of a daemon, the other somebody outside. What a test does to
 * firewalls there reaches nothing else.
 */
export class TwoHosts implements AsyncDisposable {
  readonly #name = `hvt${process.pid}x${count++}`;
  readonly host = `/run/netns/${this.#name}h`;
  readonly outside = `/run/netns/${this.#name}o`;

  async make(): Promise<void> {
    const [host, outside] = [`${this.#name}h`, `${this.#name}o`];
    for (const name of [host, outside]) {
      await this.#sh(`ip netns add ${name} && ip -n ${name} link set lo up`);
    }
    await this.#sh(`ip link add up0 netns ${host} type veth peer name up0 netns ${outside}`);
    for (const [name, { ipv4, ipv6 }] of [[host, HOST] as const, [outside, OUTSIDE] as const]) {
      await this.#sh(`ip -n ${name} addr add ${ipv4}/24 dev up0 && ip -n ${name} addr add ${ipv6}/64 dev up0 nodad`);
      await this.#sh(`ip -n ${name} link set up0 up`);
    }
  }

  /** A shell line inside one of them; what it printed. */
  async in(place: "host" | "outside", line: string): Promise<string> {
    return this.#sh(line, ["nsenter", `--net=${this[place]}`]);
  }

  async #sh(line: string, inside: readonly string[] = []): Promise<string> {
    const [command = "sh", ...args] = [...inside, "bash", "-c", line];
    const { code, stdout, stderr } = await run(command, args);
    if (code !== 0) throw new Error(`${line}: ${stdout}${stderr}`);
    return stdout.trimEnd();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of [`${this.#name}h`, `${this.#name}o`]) await run("ip", ["netns", "del", name]);
  }
}

/** A shell line that says something to a port and prints the first line of the answer, or nothing. */
export function askLine(protocol: "tcp" | "udp", address: string, port: number): string {
  return `timeout 2 bash -c 'exec 3<>/dev/${protocol}/${address}/${port} && echo asked >&3 && head -n 1 <&3' 2>/dev/null || true`;
}

/**
 * A server in Perl, which every Debian has: tells each client, by TCP and by UDP, its own name, from where the client
 * seems to come, and how much it said. Arguments: name, port.
 */
export const NAMING_SERVER = `use strict; use Socket qw(:all);
my ($name, $port) = @ARGV;
sub bound {
  my ($type) = @_;
  socket(my $s, AF_INET6, $type, 0) or die "socket: $!";
  setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);
  setsockopt($s, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  bind($s, pack_sockaddr_in6($port, inet_pton(AF_INET6, "::"))) or die "bind: $!";
  return $s;
}
sub seen {
  my ($port, $address) = unpack_sockaddr_in6($_[0]);
  my $text = inet_ntop(AF_INET6, $address);
  $text =~ s/^::ffff://;
  return $text;
}
my ($tcp, $udp) = (bound(SOCK_STREAM), bound(SOCK_DGRAM));
listen($tcp, 64);
if (fork() == 0) {
  while (defined(my $from = recv($udp, my $said, 65536, 0))) {
    send($udp, "$name udp " . seen($from) . " " . length($said) . "\\n", 0, $from);
  }
  exit;
}
$| = 1;
print "ready\\n";
while (my $from = accept(my $client, $tcp)) {
  syswrite($client, "$name tcp " . seen($from) . "\\n");
  close($client);
}
`;
