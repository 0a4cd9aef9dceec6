/* A PostgreSQL 15 of the test program's own: empty, on a socket in a folder of its own in /tmp, without syncs
 * (what a crash of the machine loses is not tested here). For tests only.
 *
 * A watcher, which is not in the program's session, starts it and waits for the program's end, however that
 * comes: then it kills the cluster and removes the folder. Who is root runs it as the user postgres, which
 * the Debian package makes. */
#ifndef HOLDFAST_TESTS_STORE_CLUSTER_H
#define HOLDFAST_TESTS_STORE_CLUSTER_H

#define CLUSTER_USER "holdfast" /* its superuser, without a password */

/* The folder that the socket is in, once connections are taken; starts the cluster at the first call. Fails
 * the test with the cluster's log when it does not start. One thread. */
const char *cluster_folder(void);

#endif
