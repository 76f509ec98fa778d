// Names for what the daemon says. They come from openapi.yaml (`npm run types`), so that a change there which this
// client does not follow fails the build.
import type { components } from "./generated/openapi";

type Schemas = components["schemas"];

export type Experiment = Schemas["Experiment"];
export type ExperimentStatus = Schemas["ExperimentStatus"];
export type ExperimentChange = Schemas["ExperimentChange"];
export type Trial = Schemas["Trial"];
export type TrialStatus = Schemas["TrialStatus"];
export type Metric = Schemas["Metric"];
export type Host = Schemas["Host"];
export type HostTest = Schemas["HostTest"];
export type Daemon = Schemas["Daemon"];
export type Problem = Schemas["Problem"];

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export const experimentStatuses: readonly ExperimentStatus[] = [
  "INITIALIZED",
  "RUNNING",
  "NO_MORE_TRIAL",
  "TUNER_NO_MORE_TRIAL",
  "DONE",
  "STOPPING",
  "STOPPED",
  "ERROR",
  "VIEWED",
];

export const trialStatuses: readonly TrialStatus[] = [
  "WAITING",
  "RUNNING",
  "SUCCEEDED",
  "FAILED",
  "USER_CANCELED",
  "SYS_CANCELED",
  "EARLY_STOPPED",
  "UNKNOWN",
];

/** Whether a trial is over. */
export const hasEnded = (status: TrialStatus): boolean => !["WAITING", "RUNNING", "UNKNOWN"].includes(status);

/** Whether nothing of an experiment goes on. */
export const isIdle = (status: ExperimentStatus): boolean => ["DONE", "STOPPED", "ERROR", "VIEWED"].includes(status);
