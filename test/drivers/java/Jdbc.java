// JDBC: the extended protocol for everything, named statements from the fifth use on, portals read in parts, batches with one Sync.

import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.postgresql.PGConnection;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;

class Jdbc {
    static Connection connection;

    interface Work {
        String run() throws Exception;
    }

    public static void main(String[] args) throws Exception {
        var env = System.getenv();
        connection = DriverManager.getConnection("jdbc:postgresql://" + env.get("PGHOST") + ":" + env.get("PGPORT") + "/" + env.get("PGDATABASE")
            + "?sslmode=" + env.get("PGSSLMODE"), env.get("PGUSER"), "");
        var scenarios = (List<?>) new Json(Files.readString(Path.of(args[0]))).value();
        for (var s : scenarios) {
            var scenario = (Map<?, ?>) s;
            int number = 0;
            for (var step : (List<?>) scenario.get("steps")) {
                var spec = (Map<?, ?>) step;
                var message = new String[] {""};
                var result = attempt(() -> step(spec), message);
                System.out.println("{\"scenario\":" + Json.text(scenario.get("name")) + ",\"step\":" + number + ",\"result\":" + result
                    + ",\"message\":" + Json.text(message[0]) + "}");
                number++;
            }
        }
        connection.close();
    }

    // attempt is the result of work, or the SQLSTATE and message that it failed with.
    static String attempt(Work work, String[] message) throws Exception {
        try {
            return work.run();
        } catch (SQLException e) {
            // A batch wraps the server's error.
            var cause = e.getNextException() != null ? e.getNextException() : e;
            if (cause.getSQLState() == null || cause.getSQLState().startsWith("08")) {
                throw e;
            }
            message[0] = cause instanceof org.postgresql.util.PSQLException p && p.getServerErrorMessage() != null
                ? p.getServerErrorMessage().getMessage() : cause.getMessage();
            return "{\"state\":" + Json.text(cause.getSQLState()) + "}";
        }
    }

    static String attempt(Work work) throws Exception {
        return attempt(work, new String[1]);
    }

    static String step(Map<?, ?> s) throws Exception {
        var sql = (String) s.get("sql");
        switch ((String) s.get("do")) {
            case "query":
                return query(sql, (List<?>) s.get("args"));
            case "exec":
                return exec(sql, (List<?>) s.get("args"));
            case "run":
                return run(sql);
            case "begin":
                connection.setAutoCommit(false);
                return "{\"ok\":true}";
            case "commit":
                return commit();
            case "rollback":
                connection.rollback();
                connection.setAutoCommit(true);
                return "{\"ok\":true}";
            case "prepared":
                return prepared(sql, (List<?>) s.get("times"));
            case "batch":
                return batch((List<?>) s.get("statements"));
            case "queue":
                return queue((List<?>) s.get("statements"));
            case "stream":
                return stream(s);
            case "copy":
                return copy(s);
        }
        throw new IllegalArgumentException("no step " + s.get("do"));
    }

    static PreparedStatement prepare(String sql, List<?> args) throws SQLException {
        var statement = connection.prepareStatement(sql.replaceAll("\\$[0-9]", "?"));
        bind(statement, args);
        return statement;
    }

    static void bind(PreparedStatement statement, List<?> args) throws SQLException {
        for (int i = 0; args != null && i < args.size(); i++) {
            if (args.get(i) instanceof String text) {
                statement.setString(i + 1, text);
            } else {
                statement.setInt(i + 1, ((Number) args.get(i)).intValue());
            }
        }
    }

    static String query(String sql, List<?> args) throws SQLException {
        try (var statement = prepare(sql, args); var rows = statement.executeQuery()) {
            return rows(rows);
        }
    }

    // rows are rows as everything prints them; of many only the number.
    static String rows(ResultSet rows) throws SQLException {
        var all = new ArrayList<String>();
        int columns = rows.getMetaData().getColumnCount();
        while (rows.next()) {
            var row = new ArrayList<String>();
            for (int i = 1; i <= columns; i++) {
                row.add(Json.text(rows.getString(i)));
            }
            all.add("[" + String.join(",", row) + "]");
        }
        return all.size() > 10 ? "{\"many\":" + all.size() + "}" : "{\"rows\":[" + String.join(",", all) + "]}";
    }

    static String exec(String sql, List<?> args) throws SQLException {
        try (var statement = prepare(sql, args)) {
            return "{\"count\":" + statement.executeUpdate() + "}";
        }
    }

    static String run(String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
            return "{\"ok\":true}";
        }
    }

    // commit: the driver keeps silent when the server answers ROLLBACK, but it knows of the failed transaction by ReadyForQuery.
    static String commit() throws SQLException {
        var failed = connection.unwrap(BaseConnection.class).getTransactionState() == TransactionState.FAILED;
        connection.commit();
        connection.setAutoCommit(true);
        return failed ? "{\"commit\":\"rolled back\"}" : "{\"commit\":\"done\"}";
    }

    static String prepared(String sql, List<?> times) throws Exception {
        try (var statement = prepare(sql, null)) {
            var results = new ArrayList<String>();
            for (var args : times) {
                results.add(attempt(() -> {
                    bind(statement, (List<?>) args);
                    return "{\"count\":" + statement.executeUpdate() + "}";
                }));
            }
            return "{\"results\":[" + String.join(",", results) + "]}";
        }
    }

    static String batch(List<?> statements) throws SQLException {
        try (var statement = connection.createStatement()) {
            for (var sql : statements) {
                statement.addBatch((String) sql);
            }
            statement.executeBatch();
            return "{\"ok\":true}";
        }
    }

    static String queue(List<?> statements) throws Exception {
        var results = new ArrayList<String>();
        for (var sql : statements) {
            results.add(attempt(() -> query((String) sql, null)));
        }
        return "{\"results\":[" + String.join(",", results) + "]}";
    }

    static String stream(Map<?, ?> s) throws Exception {
        int fetch = ((Number) s.get("fetch")).intValue();
        try (Statement statement = connection.createStatement()) {
            statement.setFetchSize(fetch);
            ResultSet rows = statement.executeQuery((String) s.get("sql"));
            for (int i = 0; i < fetch; i++) {
                rows.next();
            }
            var during = attempt(() -> exec((String) s.get("during"), null));
            var rest = attempt(() -> {
                int n = 0;
                while (rows.next()) {
                    n++;
                }
                return "{\"rows\":" + n + "}";
            });
            return "{\"first\":" + fetch + ",\"during\":" + during + ",\"rest\":" + rest + "}";
        }
    }

    static String copy(Map<?, ?> s) throws Exception {
        var data = new StringBuilder();
        for (var row : (List<?>) s.get("rows")) {
            var fields = new ArrayList<String>();
            for (var v : (List<?>) row) {
                fields.add(String.valueOf(v));
            }
            data.append(String.join("\t", fields)).append('\n');
        }
        var copies = connection.unwrap(PGConnection.class).getCopyAPI();
        return "{\"count\":" + copies.copyIn("copy " + s.get("table") + " from stdin", new StringReader(data.toString())) + "}";
    }
}

// Json reads as much of JSON as scenarios.json has; Java has no reader of its own.
class Json {
    private final String text;
    private int at;

    Json(String text) {
        this.text = text;
    }

    static String text(Object v) {
        if (v == null) {
            return "null";
        }
        var b = new StringBuilder("\"");
        for (char c : v.toString().toCharArray()) {
            if (c == '"' || c == '\\') {
                b.append('\\').append(c);
            } else if (c < ' ') {
                b.append(String.format("\\u%04x", (int) c));
            } else {
                b.append(c);
            }
        }
        return b.append('"').toString();
    }

    private char next() {
        while (Character.isWhitespace(text.charAt(at))) {
            at++;
        }
        return text.charAt(at);
    }

    Object value() {
        switch (next()) {
            case '{': {
                var map = new java.util.HashMap<String, Object>();
                for (at++; next() != '}'; skipComma()) {
                    var key = (String) value();
                    next();
                    at++; // the colon
                    map.put(key, value());
                }
                at++;
                return map;
            }
            case '[': {
                var list = new ArrayList<Object>();
                for (at++; next() != ']'; skipComma()) {
                    list.add(value());
                }
                at++;
                return list;
            }
            case '"':
                return string();
        }
        int start = at;
        while (",]} \n".indexOf(text.charAt(at)) < 0) {
            at++;
        }
        var word = text.substring(start, at);
        return switch (word) {
            case "null" -> null;
            case "true" -> true;
            case "false" -> false;
            default -> Integer.valueOf(word);
        };
    }

    private void skipComma() {
        if (next() == ',') {
            at++;
        }
    }

    private String string() {
        var b = new StringBuilder();
        for (at++; text.charAt(at) != '"'; at++) {
            char c = text.charAt(at);
            if (c == '\\') {
                c = text.charAt(++at);
                c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
            }
            b.append(c);
        }
        at++;
        return b.toString();
    }
}
