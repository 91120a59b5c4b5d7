import { type Agent, Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { LookupFunction, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { present } from "../core/present.ts";

/** Time limit for making a connection, including name resolution and TLS. */
export const CONNECT_TIMEOUT_MS = 10_000;
/**
 * A kept socket is reused only if it was idle for less than this time: servers close idle sockets after 5 s
 * or more, and a container that was frozen meanwhile does not notice that.
 */
const REUSE_WITHIN_MS = 3_000;

/** Identifies the pool of sockets that a request uses. */
export interface ConnectionKind {
  readonly scheme: "http" | "https";
  /** True for a stand-in's origin, which is exempt from the address check and has its own sockets. */
  readonly exempt: boolean;
  /** True: a new socket that is used once. */
  readonly fresh: boolean;
}

export interface ConnectionOptions {
  readonly lookup: LookupFunction;
  /** Certificate authorities in place of the system's, for tests. */
  readonly ca?: string;
}

/** The sockets to vendors, by kind. */
export function connections({ lookup, ca }: ConnectionOptions): (kind: ConnectionKind) => Agent {
  const agents = new Map<string, Agent>();
  return ({ scheme, exempt, fresh }) => {
    const name = `${scheme} ${exempt} ${fresh}`;
    let agent = agents.get(name);
    if (agent === undefined) {
      agent = new (scheme === "https" ? HttpsAgent : HttpAgent)({
        keepAlive: !fresh,
        maxFreeSockets: 16,
        // Node's default, 250 ms for each address, is too short for a distant vendor: the connection would
        // fail.
        autoSelectFamilyAttemptTimeout: 2_000,
        ...(exempt ? {} : { lookup }),
        ...present({ ca }),
      });
      handOutWhenConnected(agent, scheme === "https" ? "secureConnect" : "connect");
      noteIdleSince(agent);
      agents.set(name, agent);
    }
    dropStale(agent);
    return agent;
  };
}

/**
 * Makes an agent give a socket to its request only after the connection is made (including TLS). So the
 * request gets its socket directly before the first byte is sent, and an earlier error proves that nothing
 * was sent.
 */
function handOutWhenConnected(agent: Agent, connected: "connect" | "secureConnect"): void {
  const create = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const socket = create(options) as Socket;
    const settle = (error: Error | null): void => {
      clearTimeout(timer);
      socket.off("error", onError);
      socket.off(connected, onConnected);
      callback?.(error, socket as Duplex);
    };
    const onError = (error: Error): void => {
      socket.on("error", () => {});
      settle(error);
    };
    const onConnected = (): void => settle(null);
    const timer = setTimeout(
      () => socket.destroy(Object.assign(new Error("connecting took too long"), { code: "ETIMEDOUT" })),
      CONNECT_TIMEOUT_MS,
    );
    socket.once("error", onError);
    socket.once(connected, onConnected);
    return undefined;
  };
}

const idleSince = new WeakMap<object, number>();

function noteIdleSince(agent: Agent): void {
  const keep = agent.keepSocketAlive.bind(agent);
  agent.keepSocketAlive = (socket) => {
    idleSince.set(socket, Date.now());
    return keep(socket);
  };
}

function dropStale(agent: Agent): void {
  const now = Date.now();
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) {
      const idleMs = now - (idleSince.get(socket) ?? 0);
      if (idleMs < 0 || idleMs > REUSE_WITHIN_MS) socket.destroy();
    }
  }
}
