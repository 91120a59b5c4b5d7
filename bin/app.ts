import { App } from "aws-cdk-lib";
import { linkspan } from "../lib/deployment.ts";

linkspan(new App());
