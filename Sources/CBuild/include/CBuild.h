/// The commit in POSTERN_COMMIT when the manifest was read, a string that is never freed.
const char *_Nonnull postern_commit(void);
