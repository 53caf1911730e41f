COPY t (a, b) FROM stdin WITH (FORMAT csv);
1,2
\.
\connect other
CREATE SUBSCRIPTION s CONNECTION $$ $$ PUBLICATION p WITH (create_slot = false);
