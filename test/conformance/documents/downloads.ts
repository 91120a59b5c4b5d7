import { describe, expect, it } from "vitest";
import { type Fixture, hardName, itWith, LOGIN, neverMissing } from "./fixture.ts";
import { mostMemory } from "./most-memory.ts";

export function describeDownloads(on: Fixture): void {
  const { refusal } = on;

  describe("a download", () => {
    it("works by path and by id, with headers that name the file, even when the caller accepts only JSON", async () => {
      const name = await hardName(on, 'Grüße "2".txt', "Grüße 2.txt");
      const item = await on.hub.upload(`${on.home}/${name}`, "hello world");
      for (const [path, query] of [
        ["/hubs/documents/files", { path: item.path }],
        [`/files/${item.id}`, {}],
        [`/files/${encodeURIComponent(item.id)}`, {}],
        [`/files/${encodeURIComponent(item.refId ?? "")}`, {}],
      ] as const) {
        const { status, headers, bytes } = await on.hub.call("GET", path, {
          query,
          headers: { Accept: "application/json" },
        });
        expect(status).toBe(200);
        expect(bytes.toString()).toBe("hello world");
        expect(headers.get("content-type")).toBe("text/plain");
        expect(headers.get("content-length")).toBe("11");
        expect(headers.get("content-disposition")).toBe(
          `attachment; filename="${name.replaceAll(/[^ -~]|"/g, "_")}"; filename*=UTF-8''${encodeURIComponent(name)}`,
        );
        expect(headers.get("content-encoding")).toBeNull();
      }
    });

    it("by HEAD has no body and the same headers as GET", async () => {
      const item = await on.hub.upload(`${on.home}/a.txt`, "hello world");
      const { cloudElementsLink = "" } = await on.hub.ok<Record<string, string>>(
        "GET",
        `/files/${item.id}/links`,
      );
      for (const path of [
        `/files/${item.id}`,
        cloudElementsLink,
        `/files/${item.id}/metadata`,
        "/elements",
      ]) {
        const [head, get] = [await on.hub.call("HEAD", path), await on.hub.call("GET", path)];
        expect([head.status, head.bytes.length], path).toEqual([200, 0]);
        for (const name of ["content-type", "content-length", "content-disposition", "elements-total-count"])
          expect(head.headers.get(name), `${name} of ${path}`).toBe(get.headers.get(name));
      }
      expect((await on.hub.call("HEAD", "/files", { query: { path: `${on.home}/none` } })).status).toBe(404);
    });

    it("of a range is 206; a range outside the file is 416", async () => {
      await on.hub.upload(`${on.home}/a.txt`, "0123456789");
      const query = { path: `${on.home}/a.txt` };
      const part = await on.hub.call("GET", "/files", { query, headers: { Range: "bytes=2-4" } });
      expect([part.status, part.bytes.toString(), part.headers.get("content-range")]).toEqual([
        206,
        "234",
        "bytes 2-4/10",
      ]);
      const end = await on.hub.call("GET", "/files", { query, headers: { Range: "bytes=-3" } });
      expect([end.status, end.bytes.toString()]).toEqual([206, "789"]);
      expect((await on.hub.call("GET", "/files", { query, headers: { Range: "bytes=20-30" } })).status).toBe(
        416,
      );
      const ignored = await on.hub.call("GET", "/files", { query, headers: { Range: "lines=1-2" } });
      expect([ignored.status, ignored.bytes.toString()]).toEqual([200, "0123456789"]);
    });

    it("is a stream: the first bytes arrive before the vendor has sent the last", async () => {
      const size = 8 * 1024 * 1024;
      on.vendor.addGeneratedFile(LOGIN, `${on.home}/large.bin`, size);
      // No other answer is this long.
      on.vendor.fail({ endpoint: "api", count: 20, holdBody: { afterBytes: 1024 * 1024 } });
      const response = await on.hub.open("GET", "/files", { query: { path: `${on.home}/large.bin` } });
      expect(response.status).toBe(200);
      expect(response.headers.get("content-length")).toBe(String(size));
      const reader = response.body?.getReader();
      const first = await reader?.read();
      expect(first?.value?.length).toBeGreaterThan(0);
      on.vendor.releaseHeldBodies();
      let received = first?.value?.length ?? 0;
      for (let next = await reader?.read(); next && !next.done; next = await reader?.read())
        received += next.value.length;
      expect(received).toBe(size);
    });

    it("of a large file takes little memory", async () => {
      const size = 150 * 1024 * 1024;
      on.vendor.addGeneratedFile(LOGIN, `${on.home}/huge.bin`, size);
      await on.hub.ok("GET", "/ping");
      const before = mostMemory(on.platform);
      let most = before;
      const response = await on.hub.open("GET", "/files", { query: { path: `${on.home}/huge.bin` } });
      let received = 0;
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        if (Math.floor(received / 5e6) !== Math.floor((received + chunk.length) / 5e6)) {
          most = Math.max(most, mostMemory(on.platform));
        }
        received += chunk.length;
      }
      expect(received).toBe(size);
      expect(most - before).toBeLessThan(size / 2);
    });

    it("that the vendor cuts off in the middle fails for the caller too", async () => {
      on.vendor.addGeneratedFile(LOGIN, `${on.home}/large.bin`, 2 * 1024 * 1024);
      const file = (await on.hub.metadata(`${on.home}/large.bin`)).json;
      on.vendor.fail({ path: on.traits.downloadPath(file), reset: "middle" });
      const response = await on.hub.open("GET", "/files", { query: { path: `${on.home}/large.bin` } });
      await expect(response.arrayBuffer()).rejects.toThrow();
    });

    itWith(on, "addDocument")(
      "of a document of the vendor's own editors is an export, in the vendor's usual format or as the media type that the caller asks for",
      async () => {
        const id = on.vendor.places.addDocument?.(LOGIN, "Lecture plan", "first this, then that") ?? "";
        const document = await on.hub.ok("GET", `/files/${encodeURIComponent(id)}/metadata`);
        const chosen = await on.hub.call("GET", `/files/${document.id}`);
        const { mediaType, extension } = on.traits.usualExport ?? neverMissing();
        expect([chosen.status, chosen.headers.get("content-type")]).toEqual([200, mediaType]);
        expect(chosen.headers.get("content-disposition")).toContain(`filename="Lecture plan${extension}"`);
        const query = { path: document.path, mediaType: "text/plain" };
        const asked = await on.hub.call("GET", "/files", { query });
        expect([asked.status, asked.headers.get("content-type")]).toEqual([200, "text/plain"]);
        expect(asked.bytes.length).toBeGreaterThan(0);
        const impossible = await on.hub.call("GET", "/files", {
          query: { ...query, mediaType: "video/mp4" },
        });
        expect(impossible.status).toBe(400);
      },
    );

    it("of a folder is 400, and of a missing file 404", async () => {
      await on.hub.upload(`${on.home}/a.txt`, "x");
      expect((await refusal("GET", "/files", { query: { path: on.home } })).status).toBe(400);
      expect(await refusal("GET", "/files", { query: { path: `${on.home}/b.txt` } })).toMatchObject({
        status: 404,
        code: "not_found",
      });
      expect((await refusal("GET", "/files/no-such-id")).status).toBe(404);
    });
  });
}
