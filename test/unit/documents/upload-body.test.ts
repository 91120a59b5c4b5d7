import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mediaTypeFor, readUpload } from "../../../functions/documents/upload-body.ts";
import type { HttpRequest } from "../../../functions/http/request.ts";

const request = (body: Uint8Array, contentType?: string): HttpRequest =>
  ({
    body: Buffer.from(body),
    headers: contentType === undefined ? {} : { "content-type": contentType },
  }) as unknown as HttpRequest;

async function multipart(form: FormData): Promise<HttpRequest> {
  const encoded = new Response(form);
  return request(new Uint8Array(await encoded.arrayBuffer()), encoded.headers.get("content-type") ?? "");
}

describe("an upload's body", () => {
  it("is the part named file, with every byte", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), async (bytes) => {
        const form = new FormData();
        form.set("note", "not this");
        form.set("thumbnail", new File(["nor this"], "t.png", { type: "image/png" }));
        form.set("file", new File([bytes], "a.txt", { type: "text/plain" }));
        const read = await readUpload(await multipart(form));
        expect(Buffer.from(bytes).equals(read.bytes)).toBe(true);
        expect(read).toMatchObject({ mimeType: "text/plain", fileName: "a.txt" });
      }),
    );
  });

  it("is the raw body when the request is not a form", async () => {
    expect(await readUpload(request(Buffer.from([0, 255]), "image/png"))).toEqual({
      bytes: Buffer.from([0, 255]),
      mimeType: "image/png",
    });
    expect(await readUpload(request(Buffer.alloc(0)))).toEqual({ bytes: Buffer.alloc(0) });
  });

  it("may have a file name with quotes, as clients write them", async () => {
    const body =
      '--x\r\nContent-Disposition: form-data; name="file"; filename="say \\"hi\\".txt"\r\n\r\nhello\r\n--x--\r\n';
    const read = await readUpload(request(Buffer.from(body), "multipart/form-data; boundary=x"));
    expect(read.bytes.toString()).toBe("hello");
    expect(read.fileName).toBe('say "hi".txt');
  });

  it("gets its type from the name when the sender only says application/octet-stream", async () => {
    const read = await readUpload(request(Buffer.from("%PDF"), "application/octet-stream"));
    expect(mediaTypeFor(read, "Report.PDF")).toBe("application/pdf");
    expect(mediaTypeFor(read, "Report")).toBe("application/octet-stream");
  });

  it("never brings a line break into a header to the vendor", async () => {
    const read = await readUpload(request(Buffer.from("x"), "text/plain\r\nX-Evil: 1"));
    expect(read.mimeType).toBeUndefined();
  });

  it.each([
    ["no boundary", "multipart/form-data", "--x--", "body"],
    [
      "a body that ends early",
      "multipart/form-data; boundary=x",
      '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhel',
      "body",
    ],
    [
      "no part with a file",
      "multipart/form-data; boundary=x",
      '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
      "file",
    ],
  ])("with %s is a 400 that names the field", async (_, contentType, body, field) => {
    await expect(readUpload(request(Buffer.from(body), contentType))).rejects.toThrow(
      expect.objectContaining({ status: 400, detail: { field } }),
    );
  });
});
