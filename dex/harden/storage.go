package main

// ofStorage are the edits on Dex's PostgreSQL (dexidp/dex#4830, #1341).
var ofStorage = []edit{
	{
		// Each of Dex's transactions reads one row by its key and writes that row, so a snapshot is as good as a series:
		// PostgreSQL notices both alike that the row was changed meanwhile. A series collides with strangers' rows too.
		promise:     "transactions of different people do not collide",
		file:        database,
		anchor:      `SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;`,
		replacement: `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;`,
	},
	{
		promise: "transactions that collide are repeated",
		file:    database,
		anchor: `		return c.flavor.executeTx(c.db, func(sqlTx *sql.Tx) error {
			return fn(&trans{sqlTx, c})
		})
`,
		replacement: `		return repeated(func() (err, cause error) {
			t := &trans{c: c}
			err = c.flavor.executeTx(c.db, func(sqlTx *sql.Tx) error {
				t.tx = sqlTx
				return fn(t)
			})
			return err, t.cause
		})
`,
	},
	{
		promise:     "a transaction that is not repeated is made as before",
		file:        database,
		anchor:      `if err := fn(&trans{sqlTx, c}); err != nil {`,
		replacement: `if err := fn(&trans{tx: sqlTx, c: c}); err != nil {`,
	},
	{
		promise: "a transaction knows why it failed",
		file:    database,
		anchor: `	tx *sql.Tx
	c  *conn
`,
		replacement: `	tx *sql.Tx
	c  *conn
	// cause is the last error of the database itself.
	cause error
`,
	},
	{
		promise: "a transaction knows what its statements failed of",
		file:    database,
		anchor: `	return t.tx.Exec(query, t.c.translateArgs(args)...)
`,
		replacement: `	result, err := t.tx.Exec(query, t.c.translateArgs(args)...)
	t.note(err)
	return result, err
`,
	},
	{
		promise: "a transaction knows what its queries failed of",
		file:    database,
		anchor: `	return t.tx.QueryRow(query, t.c.translateArgs(args)...)
`,
		replacement: `	row := t.tx.QueryRow(query, t.c.translateArgs(args)...)
	t.note(row.Err())
	return row
`,
	},
	{
		// The id of a code is the code.
		promise:     "a deletion that fails is logged with its cause, and not with what was to be deleted",
		file:        rows,
		anchor:      `fmt.Errorf("delete %s: %v", table, id)`,
		replacement: `fmt.Errorf("delete %s: %v", table, err)`,
	},
}
