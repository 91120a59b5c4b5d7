import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sendableHeaders } from "../../../functions/http/header-values.ts";

let sent: Record<string, string> = {};
const server = createServer((_, answer) => answer.writeHead(200, sent).end());
beforeAll(() => new Promise<void>((done) => server.listen(0, "127.0.0.1", done)));
afterAll(() => server.close());

it("turns every text into a value that can be sent, and adds no header", async () => {
  const plain = await received({});
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: fc.constantFrom(..."ab\r\n\0\t: é日\u2028😀\u007f\u0085") }),
      async (text) => {
        expect(
          await received(sendableHeaders({ "X-Text": text, "X Bad": "1", [`Y\r\n${text}`]: "1" })),
        ).toEqual([...plain, "x-text"].sort());
      },
    ),
  );
});

it("does not change values that HTTP can carry", () => {
  const headers = {
    ETag: '"a-b"',
    "Content-Disposition": "attachment; filename=\"é\"; filename*=UTF-8''%C3%A9",
  };
  expect(sendableHeaders(headers)).toEqual(headers);
});

function received(headers: Record<string, string>): Promise<string[]> {
  sent = headers;
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    request({ port, host: "127.0.0.1" }, (response) => {
      response.resume();
      resolve(Object.keys(response.headers).sort());
    })
      .on("error", reject)
      .end();
  });
}
