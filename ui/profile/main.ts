// ui/profile/main.ts - the pages of a profile.
export {};
