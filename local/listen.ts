import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

/**
 * The Host headers of requests that are meant for a local address. Each local server refuses all others: a
 * web page's host name may be made to lead to 127.0.0.1, and the page then reads the answers (DNS
 * rebinding).
 */
export function ownHosts(url: string): string[] {
  const { host } = new URL(url);
  return [host, host.replace("127.0.0.1", "localhost")];
}

/**
 * A server on 127.0.0.1 that answers 503 until `handle` sets its listener, so that its port is known before
 * the listener exists.
 * @throws {Error} the port is in use (EADDRINUSE)
 */
export async function listen(port: number): Promise<{
  server: Server;
  url: string;
  handle: (listener: (request: IncomingMessage, response: ServerResponse) => void) => void;
}> {
  let listener = (_: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(503, { "Retry-After": "1" }).end("Linkspan is starting\n");
  };
  const server = createServer({ keepAlive: true, maxHeaderSize: 16_384 }, (request, response) =>
    listener(request, response),
  );
  // Long, for slow uploads; the API's own limits bound the wait for an answer.
  server.requestTimeout = 300_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    server,
    url: `http://127.0.0.1:${address.port}`,
    handle: (next) => {
      listener = next;
    },
  };
}

/** Closes the server and breaks all connections. */
export function endServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
