/* The version of these headers; glint_version() and glint::Version() are that of the library. */
#ifndef GLINT_VERSION_H_
#define GLINT_VERSION_H_

#define GLINT_VERSION_MAJOR 1
#define GLINT_VERSION_MINOR 0
#define GLINT_VERSION_PATCH 0
#define GLINT_VERSION_NUMBER \
  (1000000 * GLINT_VERSION_MAJOR + 1000 * GLINT_VERSION_MINOR + GLINT_VERSION_PATCH)

#endif /* GLINT_VERSION_H_ */
