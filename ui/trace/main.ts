// ui/trace/main.ts - the pages of an execution trace.
export {};
