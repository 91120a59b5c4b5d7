import { httpFunction } from "../http/http-function.ts";
import { routes } from "./routes.ts";

export const handler = httpFunction({ name: "authorization", routes });
