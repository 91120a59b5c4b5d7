import { lookup as systemLookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { AddressRefused } from "../core/vendor-http.ts";

/**
 * IPv4 networks that are not globally reachable, from IANA's special-purpose registries:
 * https://www.iana.org/assignments/iana-ipv4-special-registry/ and …/iana-ipv6-special-registry/
 * 169.254.0.0/16 holds the metadata service, the container credential service and Lambda's own endpoints.
 */
const REFUSED_IPV4: readonly (readonly [network: string, prefix: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

/**
 * Global unicast: vendors have only IPv6 addresses of this network. Excludes v4-mapped, NAT64, local and
 * other addresses.
 */
const GLOBAL_UNICAST: readonly [string, number] = ["2000::", 3];

/**
 * Refused networks within global unicast: protocol assignments with Teredo, documentation (two networks), and
 * 6to4, which contains an IPv4 address.
 */
const REFUSED_IPV6: readonly (readonly [network: string, prefix: number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const refused = new BlockList();
for (const [network, prefix] of REFUSED_IPV4) refused.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of REFUSED_IPV6) refused.addSubnet(network, prefix, "ipv6");
const global6 = new BlockList();
global6.addSubnet(...GLOBAL_UNICAST, "ipv6");

/** Whether a vendor may have this IP address. */
export function isAllowedAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !refused.check(address, "ipv4");
  // Only link-local addresses have a zone ("%eth0").
  if (family !== 6 || address.includes("%")) return false;
  return global6.check(address, "ipv6") && !refused.check(address, "ipv6");
}

/**
 * Refuses a host that is a non-public IP address, or that a resolver may read as an IP address (`127.1`,
 * `0x7f.1`), because `lookup` is not called for such a host, or cannot recognize the address.
 * @throws {AddressRefused} the host is not a public address
 */
export function checkHostname(hostname: string): void {
  const bare = hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(bare) !== 0 ? !isAllowedAddress(bare) : /(^|\.)(0x[0-9a-f]*|[0-9]+)\.?$/i.test(bare)) {
    throw new AddressRefused("the vendor's address is not a public address");
  }
}

/**
 * A `lookup` for sockets that returns public addresses only. Because the connection itself uses this
 * `lookup`, a name that resolves to another address the second time (DNS rebinding) does not bypass the
 * check.
 */
export function publicLookup(resolve: typeof systemLookup = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, "");
      const allowed = addresses.filter(({ address }) => isAllowedAddress(address));
      const [first] = allowed;
      if (first === undefined)
        return callback(new AddressRefused("the vendor's host name has no public address"), "");
      if (options.all) return callback(null, allowed);
      return callback(null, first.address, first.family);
    });
  };
}
