import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One request as the server received it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly form: URLSearchParams;
}

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A real HTTP server in place of a vendor's host; each test sets its answers. */
export class VendorServer {
  readonly seen: Seen[] = [];
  answer: Answer = (response) => response.end();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Stands in for these hosts in this process, until closed. */
  static async start(...hosts: readonly string[]): Promise<VendorServer> {
    const server = createServer();
    const vendor = new VendorServer(server);
    server.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        vendor.seen.push({
          method: request.method ?? "",
          path: request.url ?? "",
          headers: request.headers,
          form: new URLSearchParams(Buffer.concat(chunks).toString("utf8")),
        });
        vendor.answer(response, request);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    process.env.LINKSPAN_VENDOR_ENDPOINTS = JSON.stringify(
      Object.fromEntries(hosts.map((host) => [host, origin])),
    );
    return vendor;
  }

  json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
    this.answer = (response) =>
      response
        .writeHead(status, { "Content-Type": "application/json", ...headers })
        .end(JSON.stringify(body));
  }

  text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): void {
    this.answer = (response) => response.writeHead(status, headers).end(body);
  }

  async close(): Promise<void> {
    delete process.env.LINKSPAN_VENDOR_ENDPOINTS;
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
