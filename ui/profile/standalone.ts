// ui/profile/standalone.ts - a flame graph as one file.
export {};
