"""The application over HTTP: routes, problem documents, bounded work, graceful stop."""
