import { lookup as systemLookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { AddressRefused } from "../core/vendor-http.ts";

/**
 * What is not globally reachable, by IANA's special-purpose registries:
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

/** Global unicast is the only IPv6 space that vendors live in; so v4-mapped, NAT64, local and the rest are out at once. */
const GLOBAL_UNICAST: readonly [string, number] = ["2000::", 3];

/** Within it: protocol assignments with Teredo, documentation (twice), and 6to4, which carries an IPv4 address. */
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

/** Whether an IP address is one that a vendor may have. */
export function isAllowedAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !refused.check(address, "ipv4");
  // A zone ("%eth0") makes sense for link-local addresses only.
  if (family !== 6 || address.includes("%")) return false;
  return global6.check(address, "ipv6") && !refused.check(address, "ipv6");
}

/**
 * Refuses a host that is an IP address, or that a resolver may read as one (`127.1`, `0x7f.1`): those never reach a
 * `lookup`, or reach it in disguise.
 * @throws {AddressRefused} it is not a public address
 */
export function checkHostname(hostname: string): void {
  const bare = hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(bare) !== 0 ? !isAllowedAddress(bare) : /(^|\.)(0x[0-9a-f]*|[0-9]+)\.?$/i.test(bare)) {
    throw new AddressRefused("the vendor's address is not a public one");
  }
}

/**
 * A `lookup` for sockets that hands out public addresses only. It sits where the connection is made, so that a name
 * that resolves differently the second time (DNS rebinding) gains nothing.
 */
export function publicLookup(resolve: typeof systemLookup = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, "");
      const allowed = addresses.filter(({ address }) => isAllowedAddress(address));
      const [first] = allowed;
      if (first === undefined)
        return callback(new AddressRefused("the vendor's name leads to no public address"), "");
      if (options.all) return callback(null, allowed);
      return callback(null, first.address, first.family);
    });
  };
}
