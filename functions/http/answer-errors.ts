import { LinkspanError } from "../core/errors.ts";
import { present } from "../core/present.ts";
import { StoreRefused } from "../core/store-refused.ts";
import { AddressRefused, VendorUnreachable } from "../core/vendor-http.ts";
import { providerMessage } from "./provider-message.ts";
import type { HttpRequest, HttpResponse } from "./request.ts";

/** The one place where an error becomes the wire shape `{requestId, message, code, detail?, providerMessage?}`. */
export function answerError(error: unknown, request: Pick<HttpRequest, "requestId">): HttpResponse {
  const known = toLinkspanError(error);
  return {
    status: known.status,
    headers: known.headers,
    json: {
      requestId: request.requestId,
      message: known.message,
      code: known.code,
      ...present({ detail: known.detail, providerMessage: providerMessage(known) }),
    },
  };
}

/** Maps the ports' known errors. Any other error is a defect, and the caller gets no details. */
function toLinkspanError(error: unknown): LinkspanError {
  if (error instanceof LinkspanError) return error;
  if (error instanceof VendorUnreachable) {
    return error.timedOut
      ? new LinkspanError(504, "vendor_timeout", "the vendor did not answer in time", { cause: error })
      : new LinkspanError(
          502,
          "vendor_unreachable",
          "the vendor could not be reached or broke the connection",
          { cause: error },
        );
  }
  if (error instanceof AddressRefused) {
    return new LinkspanError(
      502,
      "vendor_address_refused",
      "this connector is not allowed to connect to the vendor's address",
      { cause: error },
    );
  }
  // Size budgets are checked before any write; this catches what those checks miss.
  if (error instanceof StoreRefused && error.tooLarge) {
    return new LinkspanError(413, "too_large", "the request holds more data than can be stored", {
      cause: error,
    });
  }
  return new LinkspanError(
    500,
    "internal_error",
    "something went wrong on our side; the requestId helps us find it",
  );
}
